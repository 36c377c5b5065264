#include "cli/watch.hpp"

#include <algorithm>

namespace drover::cli {
namespace {

using Clock = std::chrono::steady_clock;

std::optional<Clock::time_point> earlier(std::optional<Clock::time_point> a, std::optional<Clock::time_point> b) {
    if (a && b) return std::min(*a, *b);
    return a ? a : b;
}

}  // namespace

Watch::End Watch::run() {
    while (true) {
        presenter_.draw_progress();
        auto batch = queue_.take(earlier(presenter_.next_draw(), drain_until()));
        for (auto& row : batch.rows) presenter_.add(std::move(row));
        if (stopper_.take_list_wish()) presenter_.list_running();
        tell_stop();
        stop_when_results_are_lost();
        if (batch.done) return End::complete;
        const auto until = drain_until();
        if (stopper_.abandoned() || (until && Clock::now() >= *until)) break;
    }
    presenter_.add_abandoned();
    return End::abandoned;
}

std::optional<Watch::TimePoint> Watch::drain_until() const { return earlier(stopper_.drain_until(), lost_until_); }

void Watch::tell_stop() {
    if (told_stop_ || !stopper_.signal()) return;
    told_stop_ = true;
    presenter_.erase_progress();
    say("drover: stopping; once more to leave without waiting for the phones");
}

void Watch::stop_when_results_are_lost() {
    if (lost_until_ || !presenter_.results().lost()) return;
    lost_until_ = Clock::now() + Stopper::kDrainMax;
    call_.stop(Error(Code::interrupted, "nobody reads the results"));
}

}  // namespace drover::cli
