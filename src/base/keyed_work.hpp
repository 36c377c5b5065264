// Threads for jobs that may hang for a while, such as opening a device that does not answer: jobs of one key run one after the
// other, in order, so that a key that hangs holds one thread; each other key gets a thread of its own, up to a limit.
//
// Threads: post() from any thread. They are made when they are first needed, and stay. Ownership: outlives everything that posts;
// the destructor runs what is queued and waits for it. Failure: none of its own; a job must not throw. Past `threads_max` keys
// that hang, jobs wait.
#pragma once
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace drover {

class KeyedWork {
public:
    using Job = std::function<void()>;

    explicit KeyedWork(std::size_t threads_max) : threads_max_(threads_max) {}
    ~KeyedWork();
    KeyedWork(const KeyedWork&) = delete;
    KeyedWork& operator=(const KeyedWork&) = delete;

    void post(std::string key, Job job);  // an empty key: in no order with anything
    std::size_t threads();

private:
    struct Ready {
        std::string key;
        Job job;
    };
    void start_thread();
    void run();

    const std::size_t threads_max_;
    std::mutex mutex_;
    std::condition_variable came_;
    std::deque<Ready> ready_;
    std::map<std::string, std::deque<Job>> waiting_;  // of each key that has a job ready or under way
    std::size_t idle_ = 0;
    bool ending_ = false;
    std::vector<std::thread> threads_;
};

}  // namespace drover
