#include "transfer/removals.hpp"

#include "base/duration.hpp"
#include "base/shell_quote.hpp"
#include "dispatch/execution.hpp"
#include "transfer/shell_task.hpp"

namespace drover::transfer {

// One more command on the phone, so with a place among those: its link is not given up under it. Keeps itself alive until it has
// ended.
class Removals::Removal final : private dispatch::ExecutionOwner, private fleet::GateWaiter {
public:
    Removal(std::shared_ptr<Removals> all, fleet::Phone& phone, const std::string& remote, std::function<void()> then)
        : all_(std::move(all)),
          phone_(phone),
          then_(std::move(then)),
          execution_(phone, static_cast<dispatch::ExecutionOwner&>(*this), nullptr, 0) {
        command_.text = "rm -f " + shell_quote(remote);
        command_.limits.total = 2 * kRemovalMax;  // its own limit is that of the wait for a place too
    }

    static void begin(std::unique_ptr<Removal> made) {
        Removal& self = *made;
        self.self_ = std::move(made);
        self.phone_.loop().arm_after(self.deadline_, kRemovalMax);
        if (self.phone_.gate().enter(self)) self.on_admitted();
    }

private:
    void on_admitted() override {
        admitted_ = true;
        if (!phone_.peer()) return end();  // the link went while it waited: no other one is made for this
        execution_.start(std::move(command_));
    }
    void on_result(Row&&) override { end(); }
    void on_deadline() {
        if (admitted_) return execution_.expire(to_string(kRemovalMax));
        phone_.gate().leave_queue(*this);
        end();
    }
    void end() {
        // Of many phones each gives its link up after its row, which it could not while this went on.
        phone_.loop().post([all = all_, &phone = phone_, admitted = admitted_, then = std::move(then_)] {
            if (admitted) phone.gate().exit();
            if (then) then();
            phone.let_go();
            all->ended();
        });
        self_.reset();
    }

    const std::shared_ptr<Removals> all_;
    fleet::Phone& phone_;
    std::function<void()> then_;
    std::unique_ptr<Removal> self_;
    Command command_;
    bool admitted_ = false;
    dispatch::Execution execution_;
    Timer deadline_ = Timer::calls<&Removal::on_deadline>(*this);
};

bool Removals::remove(fleet::Phone& phone, const std::string& remote, std::function<void()> then) {
    if (!phone.peer()) return false;  // the link is gone
    {
        const std::lock_guard lock(mutex_);
        ++count_;
    }
    Removal::begin(std::make_unique<Removal>(shared_from_this(), phone, remote, std::move(then)));
    return true;
}

void Removals::ended() {
    const std::lock_guard lock(mutex_);
    --count_;
    changed_.notify_all();
}

void Removals::wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return count_ == 0; });
}

std::size_t Removals::under_way() const {
    const std::lock_guard lock(mutex_);
    return count_;
}

}  // namespace drover::transfer
