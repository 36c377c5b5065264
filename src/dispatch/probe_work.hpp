// Links to a phone and notes what is known of it: the work behind Fleet::probe(). Threads, ownership, failure: as Work.
// `info` is written on the phone's loop before the row is given, and read by others only after the call has ended.
#pragma once
#include "dispatch/work.hpp"
#include "drover/fleet.hpp"

namespace drover::dispatch {

class ProbeWork final : public Work, private fleet::Waiter {
public:
    ProbeWork(std::chrono::milliseconds connect, PhoneInfo& info) : connect_(connect), info_(info) {}
    ~ProbeWork() override;

    void start(fleet::Phone& phone, WorkDone& done) override;
    void stop(const Error& why) override;

private:
    void on_ready(adb::Carrier& carrier) override;
    void on_hopeless(const Error& why) override;
    void on_deadline();
    void finish(Code code, std::string message);

    const std::chrono::milliseconds connect_;
    PhoneInfo& info_;
    fleet::Phone* phone_ = nullptr;
    WorkDone* done_ = nullptr;
    bool waiting_ = false;
    Timer deadline_ = Timer::calls<&ProbeWork::on_deadline>(*this);
};

// What is known of the phone now. On the phone's loop.
PhoneInfo describe(const fleet::Phone& phone);

}  // namespace drover::dispatch
