// How many attempts all phones of a fleet make by themselves per second: a hub that comes back, or a rack without power, does not
// become a storm of connections. What a person or a command asks for is not held up.
// Threads: any. Ownership: the fleet's. Failure: none.
#pragma once
#include <mutex>

#include "base/timer_wheel.hpp"

namespace drover::fleet {

class Pace {
public:
    // per_second: at least 1; that many may also come at once.
    explicit Pace(std::size_t per_second);
    static constexpr auto kTurnMax = std::chrono::seconds(15);

    struct Turn {
        Duration wait{};  // zero: go
        bool granted =
            true;  // go after the wait, without asking again: after those who asked before; else ask again then
    };
    // Turns are given out for the next kTurnMax only: those that nobody comes to hold others up no longer.
    Turn take(TimePoint now);

private:
    const Duration each_;
    const std::size_t burst_;
    std::mutex mutex_;
    double tokens_;
    TimePoint last_{};
};

}  // namespace drover::fleet
