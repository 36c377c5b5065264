#include "transfer/removals.hpp"

#include "dispatch/execution.hpp"
#include "transfer/shell_task.hpp"

namespace drover::transfer {

// Keeps itself alive until it has ended.
class Removals::Removal final : private dispatch::ExecutionOwner {
public:
    Removal(std::shared_ptr<Removals> all, fleet::Phone& phone)
        : all_(std::move(all)),
          phone_(phone),
          execution_(phone, static_cast<dispatch::ExecutionOwner&>(*this), nullptr, 0) {}

    static void begin(std::unique_ptr<Removal> made, const std::string& remote) {
        Removal& self = *made;
        self.self_ = std::move(made);
        Command command;
        command.text = "rm -f " + shell_word(remote);
        command.limits.total = kRemovalMax;
        self.execution_.start(std::move(command));
    }

private:
    void on_result(Row&&) override {
        // Of many phones each gives its link up after its row, which it could not while this went on.
        phone_.loop().post([all = all_, &phone = phone_] {
            phone.let_go();
            all->ended();
        });
        self_.reset();
    }

    const std::shared_ptr<Removals> all_;
    fleet::Phone& phone_;
    std::unique_ptr<Removal> self_;
    dispatch::Execution execution_;
};

void Removals::remove(fleet::Phone& phone, const std::string& remote) {
    if (!phone.peer()) return;  // the link is gone
    {
        const std::lock_guard lock(mutex_);
        ++count_;
    }
    Removal::begin(std::make_unique<Removal>(shared_from_this(), phone), remote);
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
