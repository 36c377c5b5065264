// Carries out a controller's commands: job files on phones, their logs. Nothing that a controller sent reaches a shell: a task_id
// names a configured job file, a bucket a configured directory.
//
// Threads: all calls from the agent's loop; jobs run on the phones' loops, files are read and phones chosen on a worker. Ownership:
// phones, ledger and loops outlive it; it goes when it is idle, or after drop_calls(). Failure: an Outcome that says why.
#pragma once
#include <functional>
#include <list>
#include <map>
#include <memory>

#include "agent/ledger.hpp"
#include "agent/task_log.hpp"
#include "base/loop_pool.hpp"
#include "drover/job.hpp"
#include "task/phones.hpp"

namespace drover::agent {

// For the audit log and the counters of whoever runs the agent; either may be empty. On the agent's loop, and must not block.
struct Hooks {
    std::function<void(const Row&)> on_row;  // each phone's final one
    // instances: the phones it was tried on.
    std::function<void(const Key&, const Outcome&, const std::vector<std::string>& instances)> on_end;
};

struct ExecutorParts {
    task::Phones& phones;
    Ledger& ledger;
    const http::AgentConfig& config;
    Loop& home;    // the agent's
    Loop& worker;  // may wait for phones and disks
    Hooks hooks;
};

class Executor {
public:
    using Finished = std::function<void(const Key&, const Outcome&)>;
    Executor(ExecutorParts parts, std::filesystem::path log_directory, Finished finished);
    ~Executor();
    Executor(const Executor&) = delete;
    Executor& operator=(const Executor&) = delete;

    // `finished` comes later, on the home loop.
    void execute(const Command& command);
    // Ends what runs; each still finishes.
    void stop_all(const Error& why);
    // Once the home loop has stopped: waits for the phones' last rows, which nobody reads any more.
    void drop_calls();
    bool idle() const { return runs_.empty() && pending_ == 0; }

private:
    class Run;
    using RunPtr = std::shared_ptr<Run>;
    struct Plan;

    void start(const Command& command, std::map<std::string, bool> before, std::int64_t started_ms);
    void begin(const RunPtr& run, tl::expected<Plan, std::string> plan);
    void leave_held_phones(Run& run, Plan& plan);
    void on_rows(const RunPtr& run);
    void on_end(const RunPtr& run);
    void end(const RunPtr& run, Outcome outcome);
    void stop_task(const Command& command);
    void end_stops(const std::string& task_id);
    void upload_log(const Command& command);
    void reset_log_acl(const Command& command);
    void on_worker(const Command& command, std::function<Outcome()> work);
    void finish(const Key& key, Outcome outcome, const std::vector<std::string>& instances = {});

    struct Stop {
        Command command;
        std::int64_t started_ms = 0;
        std::size_t stopped = 0;
    };

    const ExecutorParts parts_;
    const Finished finished_;
    TaskLog log_;
    std::map<Key, RunPtr> runs_;
    std::list<Stop> stops_;    // waiting for what they ended
    std::size_t pending_ = 0;  // at the worker, or finished and not told yet
};

}  // namespace drover::agent
