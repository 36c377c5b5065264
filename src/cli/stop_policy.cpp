#include "cli/stop_policy.hpp"

#include <csignal>

namespace drover::cli {

StopAction StopPolicy::on_signal(int signal, TimePoint now) {
    if (stopped_) {
        const bool echo = signal == stopping_signal_ && now - *stopped_ < kEchoWithin;
        return echo ? StopAction::none : StopAction::abandon;
    }
    if (terminal_ && signal == SIGINT && !(listed_ && now - *listed_ <= kSecondWithin)) {
        listed_ = now;
        return StopAction::list;
    }
    stopped_ = now;
    stopping_signal_ = signal;
    return StopAction::stop;
}

}  // namespace drover::cli
