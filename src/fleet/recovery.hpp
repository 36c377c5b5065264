// Bringing phones back: the ladder of what to try, rung by rung, as a state machine without time of its own, and the counters of what
// was tried.
//
// Ladder: one thread (the phone's loop). RecoveryCounts: any thread. Failure: none.
#pragma once
#include <array>
#include <atomic>
#include <optional>
#include <vector>

#include "base/timer_wheel.hpp"
#include "drover/upkeep.hpp"

namespace drover::fleet {

constexpr std::size_t kRungKinds = 4;

struct RecoveryCounts {
    std::array<std::atomic<std::uint64_t>, kRungKinds> tried{};
    std::array<std::atomic<std::uint64_t>, kRungKinds> helped{};  // the phone ran before the next rung was due
    std::array<std::atomic<std::uint64_t>, kRungKinds>
        skipped{};  // could not be tried: no link to send it over, no USB

    void count(std::array<std::atomic<std::uint64_t>, kRungKinds>& which, RungKind kind) {
        which[static_cast<std::size_t>(kind)].fetch_add(1, std::memory_order_relaxed);
    }
};

class Ladder {
public:
    explicit Ladder(std::vector<Rung> rungs) : rungs_(std::move(rungs)) {}

    // The phone does not run. The first call in a row starts the first rung's wait.
    void trouble(TimePoint now);
    // It runs, or nobody expects it to. The rung that helped, if one had been tried.
    std::optional<RungKind> well();
    // When there is something to do; nullopt: nothing (no trouble, or the last rung was tried).
    std::optional<TimePoint> due() const { return due_; }
    // The rung to try now: not before due(), and never while the phone runs a command: then it stays due.
    std::optional<Rung> take(TimePoint now, bool busy);

private:
    std::vector<Rung> rungs_;
    std::size_t next_ = 0;
    std::optional<RungKind> tried_;
    std::optional<TimePoint> due_;
};

}  // namespace drover::fleet
