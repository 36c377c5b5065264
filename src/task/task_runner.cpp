#include "task/task_runner.hpp"

#include <openssl/rand.h>

#include <algorithm>

#include "base/assert.hpp"
#include "base/log.hpp"

namespace drover::task {
namespace {

constexpr std::chrono::seconds kLastSavesMax{5};  // results on their way to the disk when the process ends

store::JobResult result_of(Row row) {
    store::JobResult r;
    r.code = row.code;
    r.error_msg = std::move(row.error_msg);
    r.execute_msg = std::move(row.execute_msg);
    r.exit_code = row.exit_code;
    r.output_bytes = row.output_bytes;
    r.truncated = row.truncated;
    r.attempts = row.attempts;
    r.ms = row.ms;
    return r;
}

store::JobResult result_of(const Error& why) {
    store::JobResult r;
    r.code = why.code;
    r.error_msg = why.message;
    return r;
}

Error cancelled_error() { return Error(Code::cancelled, std::string(info(Code::cancelled).text)); }

std::vector<std::size_t> queued_positions(const store::TaskRecord& task) {
    std::vector<std::size_t> positions;
    for (std::size_t i = 0; i < task.jobs.size(); ++i) {
        if (task.jobs[i].state == store::JobState::queued) positions.push_back(i);
    }
    return positions;
}

std::size_t count_ok(const store::TaskRecord& task) {
    return static_cast<std::size_t>(std::count_if(task.jobs.begin(), task.jobs.end(), [](const store::JobRecord& job) {
        return job.state == store::JobState::ended && job.result.code == Code::ok;
    }));
}

}  // namespace

std::string new_id() {
    std::uint8_t bytes[16];
    DROVER_ASSERT(RAND_bytes(bytes, sizeof bytes) == 1);
    std::string id;
    for (const auto b : bytes) id += fmt::format("{:02x}", b);
    return id;
}

std::int64_t now_ms() {
    return std::chrono::duration_cast<Millis>(std::chrono::system_clock::now().time_since_epoch()).count();
}

// One task at work: from marking its queued jobs running until the last result is on disk.
struct TaskRunner::Running final : RowSink, std::enable_shared_from_this<Running> {
    Running(TaskRunner& r, store::TaskRecord t)
        : runner(r), task(std::move(t)), positions(queued_positions(task)), unsaved(positions.size()) {}

    void on_row(Row row) override {
        const auto position = positions.at(row.index);
        runner.loop_.post([self = shared_from_this(), position, r = result_of(std::move(row))]() mutable {
            self->runner.save(self, position, std::move(r));
        });
    }
    void on_done() override {
        runner.loop_.post([self = shared_from_this()] {
            self->call.reset();
            self->runner.end_if_done(self);
        });
    }

    TaskRunner& runner;
    const store::TaskRecord task;
    const std::vector<std::size_t> positions;  // of the jobs that run now
    std::size_t unsaved;
    std::size_t ok = count_ok(task);  // of those that are saved, also by an earlier drover
    std::unique_ptr<Call> call;
    std::optional<Error> stop_why;
};

TaskRunner::TaskRunner(Phones& phones, store::TaskStore& store, RunnerOptions options)
    : phones_(phones), store_(store), options_(options) {
    loop_.post([this] { loop_.arm_after(prune_, options_.prune_every); });
}

TaskRunner::~TaskRunner() {
    stop(Millis(0));
    std::unique_lock lock(idle_mutex_);
    idle_.wait(lock, [this] { return asked_ == 0; });
    lock.unlock();
    pool_.stop();
}

Result<void> TaskRunner::recover() {
    auto found = store_.recover(now_ms());
    if (!found) return tl::unexpected(found.error());
    std::size_t continued = 0;
    for (const auto& task : found->tasks) {
        const auto queued = queued_positions(task).size();
        open_jobs_ += queued;
        if (queued > 0) ++continued;
    }
    if (continued > 0) log::info("{} tasks of the last run are continued", continued);
    ++asked_;  // stop() waits for these too
    loop_.post([this, found = std::move(*found)]() mutable {
        // Whoever ran them had no time to count them.
        for (std::size_t i = 0; options_.on_result && i < found.interrupted; ++i)
            options_.on_result(result_of(Error(Code::interrupted, "")));
        for (auto& task : found.tasks) {
            if (queued_positions(task).empty()) {  // ended by the store
                tell_end(task, count_ok(task));
                continue;
            }
            // Told to end before the crash: what was queued then must not run now.
            if (task.cancelled) {
                end_unbegun(std::move(task), cancelled_error());
                continue;
            }
            ++queued_tasks_;
            queue_.push_back(std::move(task));
        }
        --asked_;
        note_idle();
    });
    return {};
}

void TaskRunner::start() {
    loop_.post([this] {
        started_ = true;
        pump();
    });
}

void TaskRunner::ask(const Ask& question, std::function<void(const Result<void>&)> then) {
    ++asked_;
    question([this, then = std::move(then)](Result<void> result) mutable {
        loop_.post([this, then = std::move(then), result = std::move(result)] {
            then(result);
            --asked_;
            note_idle();
        });
    });
}

void TaskRunner::note_idle() {
    { const std::lock_guard lock(idle_mutex_); }
    idle_.notify_all();
}

void TaskRunner::submit(TaskRequest request, std::function<void(Result<store::TaskRecord>)> done) {
    const auto jobs = request.instance_ids.size();
    if (stopping_) return done(fail(Code::interrupted, "drover is being stopped"));
    if (open_jobs_.fetch_add(jobs) + jobs > options_.open_jobs_max) {
        open_jobs_ -= jobs;
        return done(fail(Code::out_of_resources, "too many jobs are waiting"));
    }
    store::TaskRecord task;
    task.task_id = new_id();
    task.tenant = std::move(request.tenant);
    task.command = std::move(request.command);
    task.timeout_ms = request.timeout.count();
    task.max_output_bytes = request.max_output_bytes;
    task.created_ms = now_ms();
    for (auto& id : request.instance_ids) task.jobs.push_back({new_id(), std::move(id), store::JobState::queued, {}});
    ask([&](store::TaskStore::Done stored) { store_.add(task, std::move(stored)); },
        [this, task, jobs, done = std::move(done)](const Result<void>& stored) {
            if (!stored) {
                open_jobs_ -= jobs;
                log::error("a task was refused: {}", stored.error().message);
                return done(tl::unexpected(stored.error()));
            }
            queue_.push_back(task);
            ++queued_tasks_;
            pump();
            done(task);
        });
}

void TaskRunner::pump() {
    while (started_ && !stopping_ && !queue_.empty() && running_.size() < options_.running_tasks_max) {
        auto task = std::move(queue_.front());
        queue_.pop_front();
        --queued_tasks_;
        begin(std::move(task));
    }
}

void TaskRunner::begin(store::TaskRecord task) {
    auto running = std::make_shared<Running>(*this, std::move(task));
    running_.emplace(running->task.task_id, running);
    ++running_tasks_;
    mark(running);
}

void TaskRunner::mark(const RunningPtr& running) {
    ask(
        [&](store::TaskStore::Done done) {
            store_.mark_running(running->task.task_id, running->positions, now_ms(), std::move(done));
        },
        [this, running](const Result<void>& marked) {
            if (marked) return running->stop_why ? end_without_running(running) : open(running);
            log::error("task {} waits: {}", running->task.task_id, marked.error().message);
            if (stopping_ || running->stop_why) return mark_again(running);
            later([this, running] { mark_again(running); });
        });
}

// It is still queued on disk, and when nothing more begins it stays that.
void TaskRunner::mark_again(const RunningPtr& running) {
    if (running->stop_why && running->stop_why->code == Code::cancelled) return end_without_running(running);
    if (!stopping_) return mark(running);
    running_.erase(running->task.task_id);
    --running_tasks_;
    note_idle();
}

void TaskRunner::open(const RunningPtr& running) {
    std::vector<std::string> ids;
    for (const auto position : running->positions) ids.push_back(running->task.jobs[position].instance_id);
    ExecOptions options;
    options.command.text = running->task.command;
    options.command.limits.total = Millis(running->task.timeout_ms);
    options.command.limits.max_output_bytes = running->task.max_output_bytes;
    // A phone that a run holds when its job's turn has come is not waited for: that could be for ever.
    options.admit = phones_.holds().admission();
    running->call = phones_.exec(ids, std::move(options), *running);
}

void TaskRunner::save(const RunningPtr& running, std::size_t position, store::JobResult result) {
    ask(
        [&](store::TaskStore::Done done) {
            store_.finish(running->task.task_id, position, result, now_ms(), std::move(done));
        },
        [this, running, position, result](const Result<void>& saved) {
            if (!saved) {
                log::error("a result of task {} waits: {}", running->task.task_id, saved.error().message);
                return later([this, running, position, result] { save(running, position, result); });
            }
            if (options_.on_result) options_.on_result(result);
            --open_jobs_;
            --running->unsaved;
            if (result.code == Code::ok) ++running->ok;
            end_if_done(running);
        });
}

void TaskRunner::end_without_running(const RunningPtr& running) {
    for (const auto position : running->positions) save(running, position, result_of(*running->stop_why));
}

void TaskRunner::end_if_done(const RunningPtr& running) {
    if (running->unsaved > 0 || running->call) return;
    if (running_.erase(running->task.task_id) == 0) return;
    --running_tasks_;
    tell_end(running->task, running->ok);
    note_idle();
    pump();
}

void TaskRunner::tell_end(const store::TaskRecord& task, std::size_t ok) const {
    if (options_.on_end) options_.on_end(task, ok, task.jobs.size() - ok);
}

void TaskRunner::cancel(std::string task_id, std::function<void(Result<void>)> done) {
    ask([&](store::TaskStore::Done stored) { store_.mark_cancelled(task_id, std::move(stored)); },
        [this, task_id, done = std::move(done)](const Result<void>& stored) {
            if (stored) cancel_on_loop(task_id);
            done(stored);
        });
}

void TaskRunner::cancel_on_loop(const std::string& task_id) {
    const Error why = cancelled_error();
    if (const auto it = running_.find(task_id); it != running_.end()) {
        if (!it->second->stop_why) it->second->stop_why = why;
        if (it->second->call) it->second->call->stop(why);
        return;
    }
    for (auto it = queue_.begin(); it != queue_.end(); ++it) {
        if (it->task_id != task_id) continue;
        auto task = std::move(*it);
        queue_.erase(it);
        --queued_tasks_;
        return end_unbegun(std::move(task), why);
    }
}

void TaskRunner::end_unbegun(store::TaskRecord task, const Error& why) {
    auto running = std::make_shared<Running>(*this, std::move(task));
    running->stop_why = why;
    running_.emplace(running->task.task_id, running);
    ++running_tasks_;
    end_without_running(running);
}

void TaskRunner::stop(Millis drain) {
    stopping_ = true;
    std::unique_lock lock(idle_mutex_);
    const auto idle = [this] { return running_tasks_ == 0 && asked_ == 0; };
    if (idle_.wait_for(lock, drain, idle)) return;
    lock.unlock();
    loop_.post([this] {
        const Error why(Code::interrupted, "Interrupted: drover was stopped");
        for (auto& [id, running] : running_) {
            if (!running->stop_why) running->stop_why = why;
            if (running->call) running->call->stop(why);
        }
        on_retry();
    });
    lock.lock();
    if (!idle_.wait_for(lock, kLastSavesMax, idle))
        log::error("{} tasks could not be ended in the store", running_tasks_.load());
}

void TaskRunner::later(std::function<void()> work) {
    retries_.push_back(std::move(work));
    if (!retry_.armed()) loop_.arm_after(retry_, options_.retry);
}

void TaskRunner::on_retry() {
    for (auto& work : std::exchange(retries_, {})) work();
}

void TaskRunner::on_prune() {
    ++asked_;
    store_.prune({now_ms() - options_.keep.count(), options_.keep_count}, [this](const Result<std::size_t>& pruned) {
        loop_.post([this, pruned] {
            if (!pruned) log::warn("old tasks could not be forgotten: {}", pruned.error().message);
            if (!stopping_) loop_.arm_after(prune_, options_.prune_every);
            --asked_;
            note_idle();
        });
    });
}

}  // namespace drover::task
