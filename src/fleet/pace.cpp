#include "fleet/pace.hpp"

#include <algorithm>

namespace drover::fleet {

Pace::Pace(std::size_t per_second)
    : each_(std::chrono::duration_cast<Duration>(std::chrono::seconds(1)) / std::max<std::size_t>(per_second, 1)),
      burst_(std::max<std::size_t>(per_second, 1)),
      tokens_(static_cast<double>(burst_)) {}

Pace::Turn Pace::take(TimePoint now) {
    const std::lock_guard lock(mutex_);
    if (last_ == TimePoint{}) last_ = now;
    const double fresh = std::chrono::duration<double>(now - last_) / std::chrono::duration<double>(each_);
    tokens_ = std::min(tokens_ + std::max(fresh, 0.0), static_cast<double>(burst_));
    last_ = std::max(last_, now);
    const auto wait = std::chrono::duration_cast<Duration>((1.0 - tokens_) * std::chrono::duration<double>(each_));
    if (wait > kTurnMax) return {kTurnMax, false};
    tokens_ -= 1.0;
    return {std::max(wait, Duration::zero()), true};
}

}  // namespace drover::fleet
