#include "dispatch/turns.hpp"

namespace drover::dispatch {

std::unique_ptr<Turns::Turn> Turns::ask(std::string hub, TransferTurns limits, std::function<void()> given) {
    std::unique_ptr<Turn> turn(new Turn(*this, std::move(hub), limits, std::move(given)));
    Calls calls;
    {
        const std::lock_guard lock(mutex_);
        waiting_.push_back(turn.get());
        calls = next();
    }
    for (const auto& call : calls) call();
    return turn;
}

std::size_t Turns::taken() const {
    const std::lock_guard lock(mutex_);
    return taken_;
}

void Turns::give_back(Turn& turn) {
    Calls calls;
    {
        const std::lock_guard lock(mutex_);
        if (turn.has_it_) {
            --taken_;
            if (const auto hub = taken_by_hub_.find(turn.hub_); hub != taken_by_hub_.end() && --hub->second == 0)
                taken_by_hub_.erase(hub);
        } else {
            waiting_.remove(&turn);
        }
        calls = next();
    }
    for (const auto& call : calls) call();
}

Turns::Calls Turns::next() {
    Calls calls;
    for (auto it = waiting_.begin(); it != waiting_.end();) {
        Turn& turn = **it;
        const auto hub = taken_by_hub_.find(turn.hub_);
        const bool hub_busy = hub != taken_by_hub_.end() && hub->second >= turn.limits_.per_hub;
        if (taken_ >= turn.limits_.per_host || hub_busy) {
            ++it;
            continue;
        }
        turn.has_it_ = true;
        ++taken_;
        if (!turn.hub_.empty()) ++taken_by_hub_[turn.hub_];
        calls.push_back(std::move(turn.given_));
        it = waiting_.erase(it);
    }
    return calls;
}

std::string hub_of(std::string_view usb_path) {
    const auto end = usb_path.find_last_of(".-");
    return std::string(usb_path.substr(0, end == std::string_view::npos ? 0 : end));
}

}  // namespace drover::dispatch
