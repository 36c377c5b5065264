// Slows those who guess: how long the answer to a failed attempt of a peer is held back. Good attempts are never slowed, so that
// one guesser behind a shared address locks nobody out. Any thread.
#pragma once
#include <chrono>
#include <mutex>
#include <string>
#include <unordered_map>

#include "base/duration.hpp"

namespace drover::http {

class Throttle {
public:
    using Clock = std::chrono::steady_clock;
    static constexpr unsigned kFreeFailures = 5;  // a typing error costs nothing
    static constexpr Millis kFirst{100};
    static constexpr Millis kMost{5'000};
    static constexpr std::chrono::seconds kForget{60};  // without a failure
    static constexpr std::size_t kPeersMax = 10'000;
    static constexpr std::size_t kHeldMax = 1'000;  // answers held back at once

    // Counts a failure of `peer` and tells how long to hold the answer. Zero: not at all.
    Millis failed(const std::string& peer, Clock::time_point now);
    void succeeded(const std::string& peer);
    // One held answer more, or false: too many are held, answer at once.
    bool hold();
    void let_go();

private:
    struct Peer {
        unsigned failures = 0;
        Clock::time_point last;
    };
    std::mutex mutex_;
    std::unordered_map<std::string, Peer> peers_;
    std::size_t held_ = 0;
};

}  // namespace drover::http
