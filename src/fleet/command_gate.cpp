#include "fleet/command_gate.hpp"

#include "base/assert.hpp"

namespace drover::fleet {

bool CommandGate::enter(GateWaiter& waiter) {
    if (inside_ < kCommandsMax) {
        ++inside_;
        return true;
    }
    queue_.push_back(&waiter);
    return false;
}

void CommandGate::leave_queue(GateWaiter& waiter) { std::erase(queue_, &waiter); }

void CommandGate::exit() {
    DROVER_ASSERT(inside_ > 0);
    if (queue_.empty()) {
        if (--inside_ == 0 && idle_) idle_();
        return;
    }
    GateWaiter* const next = queue_.front();
    queue_.pop_front();
    next->on_admitted();
}

}  // namespace drover::fleet
