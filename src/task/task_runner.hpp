// Runs asynchronous tasks so that nothing accepted is lost and nothing runs twice.
//
// A task is on disk before submit() says yes. Its jobs are marked running on disk before any command is opened; results are
// on disk before the task counts as ended. After a crash queued jobs run, and jobs that were running end once as interrupted.
//
// Threads: submit() and cancel() from any; start(), stop() and the destructor from one thread that is no loop. Callbacks come on
// the store's or the runner's thread and must not block. Ownership: phones and store outlive the runner. Failure: a full disk
// or queue refuses new tasks; what was accepted waits and is tried again.
#pragma once
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/duration.hpp"
#include "base/loop_pool.hpp"
#include "store/task_store.hpp"
#include "task/phones.hpp"

namespace drover::task {

struct TaskRequest {
    std::string tenant;
    std::string command;
    std::vector<std::string> instance_ids;  // without duplicates
    Millis timeout{600'000};                // per job
    std::size_t max_output_bytes = 1024;
};

struct RunnerOptions {
    std::size_t running_tasks_max = 64;
    std::size_t open_jobs_max = 100'000;  // accepted and not ended; past it new tasks are refused
    Millis retry{1'000};                  // after the store failed
    Millis prune_every{60'000};
    Millis keep{std::chrono::hours(24 * 7)};  // ended tasks
    std::size_t keep_count = 100'000;
    // Each job's, once it is on disk; each task, once all of its are, with how
    // many of all its jobs were ok; also those that recover() ended. On the runner's loop, and must not block.
    std::function<void(const store::JobResult&)> on_result = {};
    std::function<void(const store::TaskRecord& task, std::size_t ok, std::size_t failed)> on_end = {};
};

std::string new_id();   // 32 lowercase hex digits from the system's random generator
std::int64_t now_ms();  // since 1970, UTC

class TaskRunner {
public:
    TaskRunner(Phones& phones, store::TaskStore& store, RunnerOptions options);
    ~TaskRunner();  // stops at once: what runs ends as interrupted
    TaskRunner(const TaskRunner&) = delete;
    TaskRunner& operator=(const TaskRunner&) = delete;

    // Ends what a crash left running, and queues what was queued. Once, before anything else: nobody may submit meanwhile.
    Result<void> recover();
    // Begins what is queued. Before that, tasks are accepted and wait.
    void start();
    void submit(TaskRequest request, std::function<void(Result<store::TaskRecord>)> done);
    // Ends the jobs of a task that have not ended, closing their commands on the phones. `done` once that is under way.
    void cancel(std::string task_id, std::function<void(Result<void>)> done);
    // Begins nothing more, and accepts nothing more: what is queued stays on disk. Does not wait.
    void hold() { stopping_ = true; }
    // hold(), and waits for what runs; past `drain` it is ended as interrupted.
    void stop(Millis drain);

    std::size_t open_jobs() const { return open_jobs_.load(); }
    std::size_t queued_tasks() const { return queued_tasks_.load(); }
    std::size_t running_tasks() const { return running_tasks_.load(); }

private:
    struct Running;
    using RunningPtr = std::shared_ptr<Running>;

    // Asks the store and goes on on the runner's loop with what it says.
    using Ask = std::function<void(store::TaskStore::Done)>;
    void ask(const Ask& question, std::function<void(const Result<void>&)> then);

    // All on the runner's loop.
    void pump();
    void begin(store::TaskRecord task);
    void mark(const RunningPtr& running);
    void mark_again(const RunningPtr& running);
    void open(const RunningPtr& running);
    void save(const RunningPtr& running, std::size_t position, store::JobResult result);
    void end_without_running(const RunningPtr& running);
    void end_unbegun(store::TaskRecord task, const Error& why);
    void end_if_done(const RunningPtr& running);
    void tell_end(const store::TaskRecord& task, std::size_t ok) const;
    void cancel_on_loop(const std::string& task_id);
    void later(std::function<void()> work);
    void on_retry();
    void on_prune();
    void note_idle();

    Phones& phones_;
    store::TaskStore& store_;
    const RunnerOptions options_;
    std::atomic<std::size_t> open_jobs_ = 0, queued_tasks_ = 0, running_tasks_ = 0;
    std::atomic<bool> stopping_ = false;
    bool started_ = false;  // the loop's
    std::deque<store::TaskRecord> queue_;
    std::map<std::string, RunningPtr> running_;
    std::vector<std::function<void()>> retries_;
    std::mutex idle_mutex_;
    std::condition_variable idle_;
    std::atomic<std::size_t> asked_ = 0;  // questions to the store that are not answered
    LoopPool pool_{1};
    Loop& loop_ = pool_.at(0);
    Timer retry_ = Timer::calls<&TaskRunner::on_retry>(*this);
    Timer prune_ = Timer::calls<&TaskRunner::on_prune>(*this);
};

}  // namespace drover::task
