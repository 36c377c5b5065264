#include "cli/stopper.hpp"

#include <unistd.h>

#include <cstring>

namespace drover::cli {

Stopper::Stopper(bool terminal, RowQueue& queue, Patience patience)
    : queue_(queue),
      terminal_(terminal),
      patience_(patience),
      watch_([this](int signal) { return on_signal(signal); }, [this] { leave_now(); }) {}

void Stopper::begin() {
    const std::lock_guard lock(mutex_);
    if (!signal_) policy_ = StopPolicy(terminal_);
}

void Stopper::attach(Call& call) {
    const std::lock_guard lock(mutex_);
    call_ = &call;
    if (signal_) stop_call_locked();
}

void Stopper::detach() {
    const std::lock_guard lock(mutex_);
    call_ = nullptr;
}

void Stopper::extend_drain(std::chrono::milliseconds more) {
    const std::lock_guard lock(mutex_);
    patience_.drain += more;
}

std::optional<int> Stopper::signal() const {
    const std::lock_guard lock(mutex_);
    return signal_;
}

std::optional<SignalWatch::TimePoint> Stopper::drain_until() const {
    const std::lock_guard lock(mutex_);
    return drain_until_;
}

void Stopper::stop_call_locked() { call_->stop(Error(Code::interrupted, std::string("SIG") + sigabbrev_np(*signal_))); }

std::optional<SignalWatch::TimePoint> Stopper::on_signal(int signal) {
    const auto now = std::chrono::steady_clock::now();
    std::optional<SignalWatch::TimePoint> leave_by;
    bool stops = false;
    {
        const std::lock_guard lock(mutex_);
        switch (policy_.on_signal(signal, now)) {
            case StopAction::none: return std::nullopt;
            case StopAction::list: list_ = true; break;
            case StopAction::stop:
                stops = true;
                signal_ = signal;
                drain_until_ = now + patience_.drain;
                leave_by = now + patience_.drain + patience_.print;
                if (call_) stop_call_locked();
                break;
            case StopAction::abandon:
                abandoned_ = true;
                leave_by = now + patience_.print;
                break;
        }
    }
    if (stops) {
        told_ = true;
        stopped_.request_stop();
    }
    queue_.wake();
    return leave_by;
}

void Stopper::leave_now() const { ::_exit(128 + signal().value_or(0)); }

}  // namespace drover::cli
