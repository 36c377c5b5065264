// A few threads for what would block a loop: reading and writing files, compressing.
//
// Threads: post() from any thread. Ownership: the pool outlives everything that posts; its destructor runs what is queued,
// so that a clean-up posted last is done before the process ends. Failure: where the host gives fewer threads those do the
// work, and with none post() does; a job must not throw. What is queued is bounded by its users: each operation has at
// most one job under way and one clean-up.
#pragma once
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace drover {

class WorkPool {
public:
    using Job = std::function<void()>;

    explicit WorkPool(std::size_t threads);
    ~WorkPool() { stop(); }
    WorkPool(const WorkPool&) = delete;
    WorkPool& operator=(const WorkPool&) = delete;

    void post(Job job);
    // Runs what is queued and joins the threads; a job that comes later runs inside its post(). Not from a job.
    void stop();

private:
    void run();

    std::mutex mutex_;
    std::condition_variable came_;
    std::deque<Job> jobs_;
    bool ending_ = false;  // no thread takes new jobs
    std::vector<std::thread> threads_;
};

// Jobs that run one after the other, in order, on any of the pool's threads. Kept alive by the jobs it still has.
class SerialWork : public std::enable_shared_from_this<SerialWork> {
public:
    explicit SerialWork(WorkPool& pool) : pool_(pool) {}
    void post(WorkPool::Job job);

private:
    void run_one();

    WorkPool& pool_;
    std::mutex mutex_;
    std::deque<WorkPool::Job> jobs_;
    bool running_ = false;
};

}  // namespace drover
