#include "base/work_pool.hpp"

#include <system_error>
#include <utility>

#include "base/log.hpp"
#include "base/quiet_thread.hpp"

namespace drover {

WorkPool::WorkPool(std::size_t threads) {
    try {
        for (std::size_t i = 0; i < threads; ++i) threads_.push_back(quiet_thread([this] { run(); }));
    } catch (const std::system_error& failed) {
        // The host has no more: those that there are do the work. post() does it itself where there is none.
        log::warn("only {} of {} threads could be made: {}", threads_.size(), threads, failed.what());
    }
}

void WorkPool::stop() {
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
    }
    came_.notify_all();
    for (auto& thread : threads_) {
        if (thread.joinable()) thread.join();
    }
}

void WorkPool::post(Job job) {
    {
        const std::lock_guard lock(mutex_);
        if (!ending_ && !threads_.empty()) jobs_.push_back(std::exchange(job, nullptr));
    }
    if (job) return job();
    came_.notify_one();
}

void WorkPool::run() {
    std::unique_lock lock(mutex_);
    for (;;) {
        came_.wait(lock, [this] { return ending_ || !jobs_.empty(); });
        if (jobs_.empty()) return;
        Job job = std::move(jobs_.front());
        jobs_.pop_front();
        lock.unlock();
        job();
        job = nullptr;
        lock.lock();
    }
}

void SerialWork::post(WorkPool::Job job) {
    {
        const std::lock_guard lock(mutex_);
        jobs_.push_back(std::move(job));
        if (std::exchange(running_, true)) return;
    }
    pool_.post([self = shared_from_this()] { self->run_one(); });
}

// One job a turn: other phones' jobs have theirs in between.
void SerialWork::run_one() {
    WorkPool::Job job;
    {
        const std::lock_guard lock(mutex_);
        job = std::move(jobs_.front());
        jobs_.pop_front();
    }
    job();
    job = nullptr;
    {
        const std::lock_guard lock(mutex_);
        if (jobs_.empty()) {
            running_ = false;
            return;
        }
    }
    pool_.post([self = shared_from_this()] { self->run_one(); });
}

}  // namespace drover
