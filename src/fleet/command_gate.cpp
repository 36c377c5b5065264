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
    --inside_;
    if (admitting_) return;  // one that ended at once, inside its admission: thousands may, and the stack is finite
    admitting_ = true;
    while (inside_ < kCommandsMax && !queue_.empty()) {
        ++inside_;
        GateWaiter* const next = queue_.front();
        queue_.pop_front();
        next->on_admitted();
    }
    admitting_ = false;
    if (inside_ == 0 && idle_) idle_();
}

}  // namespace drover::fleet
