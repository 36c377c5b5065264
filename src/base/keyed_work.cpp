#include "base/keyed_work.hpp"

#include <system_error>
#include <utility>

#include "base/quiet_thread.hpp"

namespace drover {

KeyedWork::~KeyedWork() {
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
    }
    came_.notify_all();
    for (auto& thread : threads_) thread.join();
}

void KeyedWork::post(std::string key, Job job) {
    const std::lock_guard lock(mutex_);
    if (!key.empty()) {
        const auto [lane, fresh] = waiting_.try_emplace(key);
        if (!fresh) return lane->second.push_back(std::move(job));
    }
    ready_.push_back({std::move(key), std::move(job)});
    if (ready_.size() > idle_ && threads_.size() < threads_max_) start_thread();
    came_.notify_one();
}

std::size_t KeyedWork::threads() {
    const std::lock_guard lock(mutex_);
    return threads_.size();
}

// A process that may have no more threads does with those it has.
void KeyedWork::start_thread() {
    try {
        threads_.push_back(quiet_thread([this] { run(); }));
    } catch (const std::system_error&) {
        if (threads_.empty()) throw;
    }
}

void KeyedWork::run() {
    std::unique_lock lock(mutex_);
    for (;;) {
        ++idle_;
        came_.wait(lock, [this] { return ending_ || !ready_.empty(); });
        --idle_;
        if (ready_.empty()) return;
        auto [key, job] = std::move(ready_.front());
        ready_.pop_front();
        lock.unlock();
        job();
        job = nullptr;
        lock.lock();
        if (key.empty()) continue;
        // Behind the other keys: they have waited too.
        const auto lane = waiting_.find(key);
        if (lane->second.empty()) {
            waiting_.erase(lane);
        } else {
            ready_.push_back({std::move(key), std::move(lane->second.front())});
            lane->second.pop_front();
        }
    }
}

}  // namespace drover
