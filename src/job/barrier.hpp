// strategy.sync: no phone goes past a point before all have come to it, or have ended.
//
// Threads: any; `go` is called from whichever thread made the last phone come, outside the lock. Ownership: the run's. Failure:
// none; a phone that never begins must leave() too, or nobody goes on. One that leaves while it waits waits no more.
#pragma once
#include <cstddef>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

namespace drover::job {

class Barrier {
public:
    explicit Barrier(std::size_t phones) : phones_(phones) {}

    // `who`: any address that is the phone's alone, the same in both.
    void arrive(const void* who, std::function<void()> go) { change(who, std::move(go)); }
    void leave(const void* who) { change(who, {}); }

private:
    struct Waiting {
        const void* who;
        std::function<void()> go;
    };

    void change(const void* who, std::function<void()> go) {
        std::vector<Waiting> ready;
        {
            const std::lock_guard lock(mutex_);
            if (go) {
                waiting_.push_back({who, std::move(go)});
            } else {
                --phones_;
                std::erase_if(waiting_, [&](const Waiting& phone) { return phone.who == who; });
            }
            if (waiting_.size() == phones_) ready.swap(waiting_);
        }
        for (const auto& phone : ready) phone.go();
    }

    std::mutex mutex_;
    std::size_t phones_;
    std::vector<Waiting> waiting_;
};

}  // namespace drover::job
