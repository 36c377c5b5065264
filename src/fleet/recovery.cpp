#include "fleet/recovery.hpp"

#include <utility>

namespace drover::fleet {

void Ladder::trouble(TimePoint now) {
    if (due_ || next_ > 0 || rungs_.empty()) return;
    due_ = now + rungs_[0].after;
}

std::optional<RungKind> Ladder::well() {
    next_ = 0;
    due_.reset();
    return std::exchange(tried_, std::nullopt);
}

std::optional<Rung> Ladder::take(TimePoint now, bool busy) {
    if (!due_ || now < *due_ || busy) return std::nullopt;
    const Rung rung = rungs_[next_++];
    tried_ = rung.kind;
    due_.reset();
    if (next_ < rungs_.size()) due_ = now + rung.check + rungs_[next_].after;
    return rung;
}

}  // namespace drover::fleet
