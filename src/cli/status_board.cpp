#include "cli/status_board.hpp"

#include <iterator>

namespace drover::cli {

void StatusBoard::on_status(PhoneStatus status) {
    const std::lock_guard lock(mutex_);
    changes_.push_back(status);
    if (changes_.size() > kChangesMax) changes_.pop_front();
    const auto phone = status.instance;
    states_.insert_or_assign(phone, std::move(status));
    changed_.notify_all();
}

void StatusBoard::end(std::optional<Error> why) {
    const std::lock_guard lock(mutex_);
    if (!ended_) why_ = std::move(why);
    ended_ = true;
    changed_.notify_all();
}

std::optional<Error> StatusBoard::why() {
    const std::lock_guard lock(mutex_);
    return why_;
}

bool StatusBoard::ended() {
    const std::lock_guard lock(mutex_);
    return ended_;
}

void StatusBoard::wake() {
    const std::lock_guard lock(mutex_);
    woken_ = true;
    changed_.notify_all();
}

void StatusBoard::forget() {
    const std::lock_guard lock(mutex_);
    states_.clear();
    changes_.clear();
}

StatusBoard::Outcome StatusBoard::wait(const std::function<bool(const States&)>& holds, TimePoint deadline) {
    std::unique_lock lock(mutex_);
    bool there = false;
    const bool in_time = changed_.wait_until(lock, deadline, [&] {
        there = holds(states_);
        return ended_ || there || woken_;
    });
    if (ended_) return Outcome::ended;
    if (there) return Outcome::holds;
    if (!in_time) return Outcome::late;
    woken_ = false;
    return Outcome::woken;
}

std::vector<PhoneStatus> StatusBoard::take_changes() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return ended_ || woken_ || !changes_.empty(); });
    if (changes_.empty()) woken_ = false;
    if (ended_) return {};
    std::vector<PhoneStatus> taken(std::make_move_iterator(changes_.begin()), std::make_move_iterator(changes_.end()));
    changes_.clear();
    return taken;
}

BoardStop::BoardStop(StatusBoard& board)
    : watch_(
          [this, &board](int signal) -> std::optional<SignalWatch::TimePoint> {
              signal_ = signal;
              told_ = true;
              stopped_.request_stop();
              board.end();
              return std::nullopt;
          },
          [] {}) {}

bool is_settled(const PhoneStatus& s) {
    constexpr int kShutDown = 5;  // disabled: nothing is tried
    if (s.status == kShutDown) return true;
    return s.condition != "absent" && s.condition != "offline" && s.condition != "connecting" &&
           s.condition != "authorizing" && s.condition != "booting";
}

}  // namespace drover::cli
