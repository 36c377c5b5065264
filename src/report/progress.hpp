// The progress line of a terminal: what it says, and when it may be drawn again. Pure; any thread; time is handed in.
#pragma once
#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>

namespace drover::report {

constexpr std::size_t kProgressNamesMax = 5;  // with more phones still at work, only their number is told

// "18/20 done, 1 failed, still: rack1-03 rack1-07", at most `width` columns. `running` may hold more than is shown.
std::string progress_text(std::size_t done, std::size_t total, std::size_t failed, std::span<const std::string> running,
                          std::size_t width);

// At most ten draws a second.
class ProgressPace {
public:
    using TimePoint = std::chrono::steady_clock::time_point;
    static constexpr std::chrono::milliseconds kStep{100};

    bool may_draw(TimePoint now) const { return !last_ || now - *last_ >= kStep; }
    void drawn(TimePoint now) { last_ = now; }
    TimePoint next() const { return last_ ? *last_ + kStep : TimePoint{}; }

private:
    std::optional<TimePoint> last_;
};

}  // namespace drover::report
