// While a fleet is opened and phones are chosen: a signal that ends this process ends that first. Before any other thread is
// started, as SignalWatch; `signal` may be read once this is destroyed.
#pragma once
#include <atomic>
#include <optional>
#include <stop_token>

#include "cli/signal_watch.hpp"

namespace drover::cli {

class OpeningStop {
public:
    // signal: becomes the one that came, outlives this.
    explicit OpeningStop(std::atomic<int>& signal)
        : watch_(
              [this, &signal](int came) {
                  signal = came;
                  stopped_.request_stop();
                  return std::optional<SignalWatch::TimePoint>();
              },
              [] {}) {}
    std::stop_token token() const { return stopped_.get_token(); }

private:
    std::stop_source stopped_;
    SignalWatch watch_;  // last: its thread uses the other
};

}  // namespace drover::cli
