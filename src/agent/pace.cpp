#include "agent/pace.hpp"

#include <algorithm>

namespace drover::agent {

Verdict verdict_of(int status) {
    if (status >= 200 && status < 300) return Verdict::ok;
    if (status == 0 || status == 408 || status == 429 || status >= 500) return Verdict::failed;
    if (status == 401 || status == 403) return Verdict::denied;
    if (status == 404) return Verdict::missing;
    if (status == 400) return Verdict::rejected;
    return Verdict::odd;
}

Millis Pace::jittered(Millis d) {
    const double factor = 1 + kJitter * (2 * random_() - 1);
    return Millis(static_cast<Millis::rep>(static_cast<double>(d.count()) * factor));
}

Millis Pace::after(Verdict verdict) {
    if (verdict == Verdict::ok) {
        failures_ = 0;
        return jittered(options_.interval);
    }
    if (verdict != Verdict::failed) return jittered(options_.retry_max);
    auto wait = options_.retry;
    for (unsigned i = 0; i < failures_ && wait < options_.retry_max; ++i) wait *= 2;
    ++failures_;
    return std::min(jittered(wait), options_.retry_max);
}

}  // namespace drover::agent
