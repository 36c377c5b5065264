// Whether a phone still answers: a link can stay open long after adbd has hung, and an adb server goes on to list such a phone.
// Asked now and then over an idle link, by a service that no adbd has: its refusal is the answer, and costs the phone no
// process.
//
// Threads: the phone's loop. Ownership: the caretaker's; the carrier is valid from start() to stop(). Failure: `silent` is
// called, from a clean stack, once kMissesMax questions in a row had no answer; nothing more is asked then until start().
#pragma once
#include <functional>
#include <utility>

#include "adb/stream.hpp"
#include "base/loop_pool.hpp"
#include "drover/upkeep.hpp"

namespace drover::fleet {

class Pulse final : private adb::StreamHandler {
public:
    static constexpr std::size_t kMissesMax = 2;

    // `busy`: a command runs or waits. Nothing is asked then, and no missing answer counts.
    // `alive` is called with each answer, maybe from inside the link's callbacks.
    Pulse(Loop& loop, const Upkeep& upkeep, std::function<bool()> busy, std::function<void()> silent,
          std::function<void()> alive)
        : loop_(loop), upkeep_(upkeep), busy_(std::move(busy)), silent_(std::move(silent)), alive_(std::move(alive)) {}
    ~Pulse() { stop(); }

    // The first question comes after `first`.
    void start(adb::Carrier& carrier, Duration first);
    void stop();
    bool runs() const { return carrier_ != nullptr; }
    // The phone has answered, or not answered, what somebody else asked it.
    void heard();
    void missed();

private:
    void on_open() override { heard(); }
    adb::Ack on_data(ByteView) override { return adb::Ack::now; }
    void on_closed(const std::optional<Error>& why) override;
    void on_timer();
    void ask();
    void hang_up();
    void ask_later();

    Loop& loop_;
    const Upkeep& upkeep_;
    const std::function<bool()> busy_;
    const std::function<void()> silent_;
    const std::function<void()> alive_;
    adb::Carrier* carrier_ = nullptr;
    adb::StreamId asked_ = 0;  // 0: no question is open
    std::size_t misses_ = 0;   // in a row
    Timer timer_ = Timer::calls<&Pulse::on_timer>(*this);
};

}  // namespace drover::fleet
