// Task records and waiting, for the tests of the store. One thread.
#pragma once
#include <fmt/format.h>

#include <future>
#include <string>

#include "store/task_store.hpp"

namespace drover::store {

inline TaskRecord sample_task(int number, int jobs = 2, std::string tenant = "t") {
    TaskRecord task;
    task.task_id = fmt::format("{:032x}", number);
    task.tenant = std::move(tenant);
    task.command = "ls -l /system";
    task.timeout_ms = 1000;
    task.created_ms = 1000 + number;
    for (int i = 0; i < jobs; ++i) {
        JobRecord job;
        job.job_id = fmt::format("{:016x}{:016x}", number, i + 1);
        job.instance_id = fmt::format("phone-{}", i);
        task.jobs.push_back(std::move(job));
    }
    return task;
}

// Calls f with a Done and waits for it.
template <class F>
Result<void> wait_done(F&& f) {
    std::promise<Result<void>> ended;
    f([&](Result<void> r) { ended.set_value(std::move(r)); });
    return ended.get_future().get();
}

inline Result<void> add(TaskStore& store, const TaskRecord& task) {
    return wait_done([&](TaskStore::Done done) { store.add(task, std::move(done)); });
}
inline Result<void> run_jobs(TaskStore& store, const std::string& id, std::vector<std::size_t> positions) {
    return wait_done(
        [&](TaskStore::Done done) { store.mark_running(id, std::move(positions), 2000, std::move(done)); });
}
inline Result<void> finish(TaskStore& store, const std::string& id, std::size_t position, JobResult result = {},
                           std::int64_t now = 3000) {
    return wait_done(
        [&](TaskStore::Done done) { store.finish(id, position, std::move(result), now, std::move(done)); });
}
inline Result<std::size_t> prune(TaskStore& store, Retention retention) {
    std::promise<Result<std::size_t>> ended;
    store.prune(retention, [&](Result<std::size_t> r) { ended.set_value(std::move(r)); });
    return ended.get_future().get();
}

}  // namespace drover::store
