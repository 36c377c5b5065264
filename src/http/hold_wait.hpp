// A run to come that waits for phones of its own: tried when some become free, and every second for phones that come up and for
// holds whose time is over. Private to the service.
//
// Threads: made anywhere; all else on the service's first worker, so that those who wait are tried one after the other.
// Failure: not granted in time is an answer; a client that has gone meanwhile has its phones until their time to live is over.
#pragma once
#include <string>
#include <vector>

#include "http/open_call.hpp"

namespace drover::http {

constexpr Millis kHoldTimeToLive{30'000};  // until its run has begun
constexpr std::size_t kHoldWaitsMax = 1'000;

class Service::HoldWait final : public OpenCall {
public:
    struct Wanted {
        std::vector<std::string> ids;  // to choose from
        std::size_t count = 0;         // running ones; 0: all, as they are
        Millis wait{0};
        std::string job;
    };
    HoldWait(Service& service, ExchangePtr x, Wanted wanted);

    void start();
    void retry();
    void stop(const Error& why) override;
    void on_server_stop() override { stop(Error(Code::cancelled, "the drover server ends")); }
    using OpenCall::exchange;

private:
    std::vector<std::string> candidates() const;
    void grant(const std::vector<std::string>& ids);
    void refuse();
    void end();
    void arm();

    Loop& loop_;
    const Wanted wanted_;
    const TimePoint until_;
    std::shared_ptr<OpenCall> self_;  // while it waits
    Timer again_ = Timer::calls<&HoldWait::retry>(*this);
};

}  // namespace drover::http
