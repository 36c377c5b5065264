// A task store in memory that can be told to fail, for tests of what stands above it. Any thread; answers at once.
#pragma once
#include <algorithm>
#include <functional>
#include <map>
#include <mutex>

#include "store/task_store.hpp"

namespace drover::test {

class MemoryTaskStore final : public store::TaskStore {
public:
    // The next n writes fail, as on a full disk.
    void fail_next(int n) {
        with([&] { failures_ = n; });
    }
    // The next n times that a task is marked as running.
    void fail_next_marks(int n) {
        with([&] { mark_failures_ = n; });
    }
    // Called for each prune(); its result is the answer. Set before the store is used.
    std::function<Result<std::size_t>(store::Retention)> on_prune = [](store::Retention) { return 0U; };
    int failures_left() {
        const std::lock_guard lock(mutex_);
        return failures_;
    }
    template <class F>
    void with(F&& f) {
        const std::lock_guard lock(mutex_);
        f();
    }

    void add(const store::TaskRecord& task, Done done) override {
        write(done, [&] { tasks_[task.task_id] = task; });
    }
    void mark_running(std::string id, std::vector<std::size_t> positions, std::int64_t, Done done) override {
        with([&] {
            if (mark_failures_ > 0 && mark_failures_-- > 0) failures_ = 1;
        });
        write(done, [&] {
            for (const auto p : positions) tasks_.at(id).jobs.at(p).state = store::JobState::running;
        });
    }
    void finish(std::string id, std::size_t position, store::JobResult result, std::int64_t now, Done done) override {
        write(done, [&] {
            auto& task = tasks_.at(id);
            task.jobs.at(position).state = store::JobState::ended;
            task.jobs.at(position).result = std::move(result);
            const auto open = [](const store::JobRecord& j) { return j.state != store::JobState::ended; };
            if (std::none_of(task.jobs.begin(), task.jobs.end(), open)) task.ended_ms = now;
        });
    }
    void mark_cancelled(std::string id, Done done) override {
        write(done, [&] {
            if (const auto it = tasks_.find(id); it != tasks_.end()) it->second.cancelled = true;
        });
    }
    void prune(store::Retention keep, std::function<void(Result<std::size_t>)> done) override { done(on_prune(keep)); }

    Result<std::optional<store::TaskRecord>> find(std::string_view id) override {
        const std::lock_guard lock(mutex_);
        const auto it = tasks_.find(std::string(id));
        return it == tasks_.end() ? std::nullopt : std::optional(it->second);
    }
    Result<std::vector<store::TaskSummary>> list(std::string_view, std::size_t) override {
        return std::vector<store::TaskSummary>();
    }
    Result<store::Recovered> recover(std::int64_t now) override {
        const std::lock_guard lock(mutex_);
        store::Recovered found;
        for (auto& [id, task] : tasks_) {
            if (task.ended_ms) continue;
            bool queued = false;
            for (auto& job : task.jobs) {
                queued = queued || job.state == store::JobState::queued;
                if (job.state != store::JobState::running) continue;
                job.state = store::JobState::ended;
                job.result.code = Code::interrupted;
                ++found.interrupted;
            }
            if (!queued) task.ended_ms = now;
            found.tasks.push_back(task);
        }
        return found;
    }

private:
    template <class F>
    void write(const Done& done, F&& change) {
        bool failed = false;
        with([&] {
            failed = failures_ > 0;
            if (failed) {
                --failures_;
            } else {
                change();
            }
        });
        done(failed ? fail(Code::store_failed, "database or disk is full") : Result<void>());
    }

    std::mutex mutex_;
    int failures_ = 0, mark_failures_ = 0;
    std::map<std::string, store::TaskRecord> tasks_;
};

}  // namespace drover::test
