#include "http/throttle.hpp"

#include <algorithm>

namespace drover::http {

Millis Throttle::failed(const std::string& peer, Clock::time_point now) {
    const std::lock_guard lock(mutex_);
    if (peers_.size() >= kPeersMax && !peers_.contains(peer)) {
        std::erase_if(peers_, [&](const auto& p) { return now - p.second.last > kForget; });
        // A flood of addresses: forget all rather than remember without end.
        if (peers_.size() >= kPeersMax) peers_.clear();
    }
    auto& p = peers_[peer];
    if (now - p.last > kForget) p.failures = 0;
    p.last = now;
    ++p.failures;
    if (p.failures <= kFreeFailures) return Millis(0);
    const auto doublings = std::min(p.failures - kFreeFailures - 1, 10U);
    return std::min(kMost, kFirst * (1U << doublings));
}

void Throttle::succeeded(const std::string& peer) {
    const std::lock_guard lock(mutex_);
    peers_.erase(peer);
}

bool Throttle::hold() {
    const std::lock_guard lock(mutex_);
    if (held_ >= kHeldMax) return false;
    ++held_;
    return true;
}

void Throttle::let_go() {
    const std::lock_guard lock(mutex_);
    --held_;
}

}  // namespace drover::http
