// The per-phone cap: how many commands may run on one phone at once, over all calls. Those past it wait in order.
// Threads: the phone's loop. Ownership: waiters outlive their place in the queue.
#pragma once
#include <cstddef>
#include <functional>
#include <list>

namespace drover::fleet {

class GateWaiter {
public:
    virtual void on_admitted() = 0;

protected:
    ~GateWaiter() = default;
};

class CommandGate {
public:
    static constexpr std::size_t kCommandsMax = 8;

    // True: in, at once. False: on_admitted() will come, unless leave_queue() is called first.
    bool enter(GateWaiter& waiter);
    void leave_queue(GateWaiter& waiter);
    // The command of an admitted one has ended; may admit the next from inside.
    void exit();
    bool idle() const { return inside_ == 0 && queue_.empty(); }
    bool busy() const { return inside_ > 0; }
    // Called when the last command has ended and none waits.
    void when_idle(std::function<void()> f) { idle_ = std::move(f); }

private:
    std::size_t inside_ = 0;
    bool admitting_ = false;
    std::list<GateWaiter*> queue_;  // takes no memory while empty, as it nearly always is
    std::function<void()> idle_;
};

}  // namespace drover::fleet
