// strategy.sync: no phone goes past a point before all have come to it, or have ended.
//
// Threads: any; `go` is called from whichever thread made the last phone come, outside the lock. Ownership: the run's. Failure:
// none; a phone that never begins must leave() too, or nobody goes on.
#pragma once
#include <cstddef>
#include <functional>
#include <mutex>
#include <vector>

namespace drover::job {

class Barrier {
public:
    explicit Barrier(std::size_t phones) : phones_(phones) {}

    void arrive(std::function<void()> go) { change(std::move(go), 0); }
    void leave() { change({}, 1); }

private:
    void change(std::function<void()> go, std::size_t leaving) {
        std::vector<std::function<void()>> ready;
        {
            const std::lock_guard lock(mutex_);
            phones_ -= leaving;
            if (go) waiting_.push_back(std::move(go));
            if (waiting_.size() == phones_) ready.swap(waiting_);
        }
        for (const auto& call : ready) call();
    }

    std::mutex mutex_;
    std::size_t phones_;
    std::vector<std::function<void()>> waiting_;
};

}  // namespace drover::job
