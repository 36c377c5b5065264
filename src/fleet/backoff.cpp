#include "fleet/backoff.hpp"

#include <algorithm>

namespace drover::fleet {

Duration Backoff::next(TimePoint now, bool was_stable, bool hopeless, const Breaker* breaker) {
    if (was_stable) forget();
    if (failures_++ == 0) lost(now);
    const bool open = breaker && failures_ >= breaker->failures;
    const auto half = (open ? std::max(breaker->pause, whole_) : whole_) / 2;
    const bool soon = !hopeless && now - lost_at_ < kSoonFor;
    const Duration longest = soon ? Duration(kSoonMax) : Duration(kMax);
    whole_ = std::min(whole_ * 2, longest);
    return half + Duration(jitter_() % static_cast<std::uint64_t>(std::max<Duration::rep>(half.count(), 1)));
}

void Backoff::lost(TimePoint now) {
    lost_at_ = now;
    whole_ = kFirst;
}

void Backoff::forget() {
    failures_ = 0;
    whole_ = kFirst;
}

}  // namespace drover::fleet
