// Shows a call's rows as they come, until the last one, or until nobody waits any longer. Main thread. Everything it is given
// outlives it.
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>

#include "cli/presenter.hpp"
#include "cli/row_queue.hpp"
#include "cli/stopper.hpp"

namespace drover::cli {

class Watch {
public:
    enum class End : std::uint8_t { complete, abandoned };

    Watch(RowQueue& queue, Stopper& stopper, Presenter& presenter, Call& call)
        : queue_(queue), stopper_(stopper), presenter_(presenter), call_(call) {}

    // abandoned: the call is still under way, and the presenter was given a row for every phone that had none.
    End run();

private:
    using TimePoint = std::chrono::steady_clock::time_point;

    std::optional<TimePoint> drain_until() const;
    void tell_stop();
    void stop_when_results_are_lost();

    RowQueue& queue_;
    Stopper& stopper_;
    Presenter& presenter_;
    Call& call_;
    bool told_stop_ = false;
    std::optional<TimePoint> lost_until_;
};

}  // namespace drover::cli
