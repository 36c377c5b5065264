// When a phone that was lost is tried again. Soon, for as long as a reboot or a power cut of a hub takes: an attempt that is
// refused costs microseconds, a phone that nobody uses costs more. Then less and less often; with the breaker open, once per pause.
//
// Threads: one. Ownership: a value of its phone. Failure: none.
#pragma once
#include <cstddef>
#include <random>

#include "base/timer_wheel.hpp"

namespace drover::fleet {

class Backoff {
public:
    static constexpr auto kFirst = std::chrono::milliseconds(100);
    static constexpr auto kSoonMax = std::chrono::milliseconds(400);
    static constexpr auto kSoonFor = std::chrono::seconds(60);  // since it was lost
    static constexpr auto kMax = std::chrono::seconds(15);

    struct Breaker {
        std::size_t failures;  // so many in a row open it
        Duration pause;
    };

    explicit Backoff(std::uint32_t seed) : jitter_(seed) {}

    // An attempt failed, or a link was lost: how long to wait. Half of it is jitter, so that a hub that came back is not hit by
    // all its phones at once. `was_stable`: the link had lived for a while. `hopeless`: trying again soon would not help. `breaker`
    // may be null.
    Duration next(TimePoint now, bool was_stable, bool hopeless, const Breaker* breaker);
    // It was plugged in, or is listed again: what failed before says nothing any more.
    void forget();
    // A link that had lived is given up, for whatever reason: from now on it is tried soon, however often it failed before.
    void lost(TimePoint now);

    std::size_t failures() const { return failures_; }  // in a row

private:
    std::size_t failures_ = 0;
    Duration whole_ = kFirst;
    TimePoint lost_at_{};
    std::minstd_rand jitter_;
};

}  // namespace drover::fleet
