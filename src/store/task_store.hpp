// Where asynchronous tasks live: accepted, run and ended ones, with the result of each of their jobs.
//
// An interface, so that tasks can be tried without a disk and with one that fails. Threads: all calls from any thread; those
// that read may block on the disk and are not for loops. A Done is called once, from the store's own thread or before the call
// returns, after the change is on disk (durable: a power cut after it loses nothing). Failure: Code::store_failed.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "drover/error.hpp"

namespace drover::store {

enum class JobState : std::uint8_t { queued = 0, running = 1, ended = 2 };

struct JobResult {
    Code code = Code::ok;
    std::string error_msg;
    std::string execute_msg;
    std::optional<int> exit_code;
    std::uint64_t output_bytes = 0;
    bool truncated = false;
    std::uint32_t attempts = 0;  // 0: never opened on the phone
    std::uint64_t ms = 0;
};

struct JobRecord {
    std::string job_id;  // 32 lowercase hex digits
    std::string instance_id;
    JobState state = JobState::queued;
    JobResult result;  // once ended
};

struct TaskRecord {
    std::string task_id;  // 32 lowercase hex digits
    std::string tenant;
    std::string command;
    std::int64_t timeout_ms = 0;  // per job
    std::uint64_t max_output_bytes = 1024;
    std::int64_t created_ms = 0;  // since 1970, UTC
    std::optional<std::int64_t> ended_ms;
    bool cancelled = false;
    std::vector<JobRecord> jobs;  // in the request's order
};

// One line of a list: a task without its jobs' results.
struct TaskSummary {
    std::string task_id, tenant, command;
    std::int64_t created_ms = 0;
    std::optional<std::int64_t> ended_ms;
    bool cancelled = false;
    std::uint32_t queued = 0, running = 0, ok = 0, failed = 0;
};

struct Retention {
    std::int64_t ended_before_ms = 0;  // tasks that ended before this are forgotten
    std::size_t keep_ended = 100'000;  // and all but the youngest of these
};

struct Recovered {
    std::vector<TaskRecord>
        tasks;  // that had not ended, the oldest first: with queued jobs, or with none, ended just now
    std::size_t interrupted = 0;  // jobs that were running
};

class TaskStore {
public:
    static constexpr std::size_t kListMax = 1'000;
    using Done = std::function<void(Result<void>)>;

    virtual ~TaskStore() = default;

    virtual void add(const TaskRecord& task, Done done) = 0;
    // Queued jobs of the task, by position.
    virtual void mark_running(std::string task_id, std::vector<std::size_t> positions, std::int64_t now_ms,
                              Done done) = 0;
    // Ends a job that is not ended yet; the last one ends the task.
    virtual void finish(std::string task_id, std::size_t position, JobResult result, std::int64_t now_ms,
                        Done done) = 0;
    virtual void mark_cancelled(std::string task_id, Done done) = 0;
    // Forgets ended tasks; never one that has not ended. Done with how many.
    virtual void prune(Retention retention, std::function<void(Result<std::size_t>)> done) = 0;

    // nullopt: no such task.
    virtual Result<std::optional<TaskRecord>> find(std::string_view task_id) = 0;
    // The youngest first; of one tenant, or of all when empty.
    virtual Result<std::vector<TaskSummary>> list(std::string_view tenant, std::size_t max) = 0;
    // After a crash or a stop: every job found running is ended as interrupted, on disk, before this returns. Call once,
    // before anything else.
    virtual Result<Recovered> recover(std::int64_t now_ms) = 0;
};

}  // namespace drover::store
