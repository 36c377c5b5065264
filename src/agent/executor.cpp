#include "agent/executor.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <mutex>

#include "base/counted.hpp"
#include "base/log.hpp"
#include "job/model.hpp"
#include "task/task_runner.hpp"

namespace drover::agent {

// What to run, found out on the worker.
struct Executor::Plan {
    std::shared_ptr<Fleet> fleet;
    std::optional<Job> job;
    std::vector<std::size_t> targets;
    std::size_t left_out = 0;  // SYNC: phones that ended well before
    std::size_t count = 0;     // of the targets so many that are idle; 0: all, as they are
};

// A START or SYNC at work. Rows come from the phones' loops; all else is touched on the home loop.
class Executor::Run final : public RowSink, public std::enable_shared_from_this<Run> {
public:
    Run(Executor& executor, Command c, std::int64_t started_ms) : command(std::move(c)), executor_(executor) {
        outcome.started_ms = started_ms;
        outcome.instances = Counts{};
    }

    void on_row(Row row) override {
        const std::lock_guard lock(mutex_);
        rows_.push_back(std::move(row));
        if (rows_.size() == 1) post([](Executor& e, const RunPtr& run) { e.on_rows(run); });
    }
    void on_done() override {
        post([](Executor& e, const RunPtr& run) { e.on_end(run); });
    }
    std::vector<Row> take_rows() {
        const std::lock_guard lock(mutex_);
        return std::exchange(rows_, {});
    }

    const Command command;
    Outcome outcome;
    std::vector<std::string> instances;  // of the rows so far
    std::optional<Error> stopped;        // why
    std::vector<Row> refused;            // of phones that a run through the server holds
    std::shared_ptr<Fleet> fleet;
    std::unique_ptr<Call> call;  // after the fleet: goes first

private:
    template <class F>
    void post(F f) {
        executor_.parts_.home.post([&e = executor_, run = shared_from_this(), f] { f(e, run); });
    }
    Executor& executor_;
    std::mutex mutex_;
    std::vector<Row> rows_;
};

namespace {

constexpr int kRunning = 2;

Outcome outcome_of(bool ok, std::string msg, std::int64_t started_ms) {
    Outcome outcome;
    outcome.ok = ok;
    outcome.msg = std::move(msg);
    outcome.started_ms = started_ms;
    return outcome;
}

}  // namespace

Executor::Executor(ExecutorParts parts, std::filesystem::path log_directory, Finished finished)
    : parts_(std::move(parts)), finished_(std::move(finished)), log_(std::move(log_directory)) {}
Executor::~Executor() = default;

void Executor::finish(const Key& key, Outcome outcome, const std::vector<std::string>& instances) {
    outcome.finished_ms = task::now_ms();
    if (parts_.hooks.on_end) parts_.hooks.on_end(key, outcome, instances);
    ++pending_;
    parts_.home.post([this, key, outcome = std::move(outcome)] {
        --pending_;
        finished_(key, outcome);
    });
}

void Executor::execute(const Command& command) {
    const auto now = task::now_ms();
    const auto refuse = [&](std::string why) { finish(command.key, outcome_of(false, std::move(why), now)); };
    const auto& name = command.key.name;
    if (name == "RSET_LOG_ACL") return reset_log_acl(command);
    if (!is_long(name) && !ends_others(name) && name != "UPLOAD_LOG") return refuse("this command is not known here");
    if (!parts_.config.jobs.contains(command.key.task_id))
        return refuse("no job file is configured here for this task_id");
    if (name == "UPLOAD_LOG") return upload_log(command);
    if (ends_others(name)) return stop_task(command);
    std::map<std::string, bool> before;
    if (name == "START") {
        // From here on SYNC goes by what this START does.
        if (auto r = parts_.ledger.forget_task(command.key.task_id); !r) return refuse(r.error().message);
        log_.forget(command.key.task_id);
    } else {
        auto known = parts_.ledger.ended(command.key.task_id);
        if (!known) return refuse(known.error().message);
        before = std::move(*known);
    }
    start(command, std::move(before), now);
}

void Executor::start(const Command& command, std::map<std::string, bool> before, std::int64_t started_ms) {
    auto run = std::make_shared<Run>(*this, command, started_ms);
    runs_.emplace(command.key, run);
    ++pending_;
    const auto& file = parts_.config.jobs.at(command.key.task_id);
    log_.note(command.key.task_id, fmt::format("{}: {}", command.key.name, file.string()));
    parts_.worker.post([this, run, file, before = std::move(before)] {
        const auto make = [&]() -> tl::expected<Plan, std::string> {
            Plan plan;
            auto job = Job::load(file);
            if (!job) return tl::unexpected(job.error().front().message);
            plan.fleet = parts_.phones.fleet();
            if (!plan.fleet) return tl::unexpected(std::string("there is no fleet"));
            const auto selection = plan.fleet->select(job->on().value_or("all"));
            if (!selection) return tl::unexpected(selection.error().message);
            if (!selection->unknown_ids.empty())
                return tl::unexpected(fmt::format("no such phone: {}", fmt::join(selection->unknown_ids, ", ")));
            if (selection->targets.empty()) return tl::unexpected(std::string("the job's selector matches no phone"));
            for (const auto target : selection->targets) {
                const auto known = before.find(plan.fleet->instances()[target].id);
                if (known != before.end() && known->second) {
                    ++plan.left_out;
                } else {
                    plan.targets.push_back(target);
                }
            }
            if (const auto& choice = job->model().choice; choice && choice->count > 0) {
                // Those that ended well are part of the number; those that failed have their turn before phones that were not asked.
                plan.count = choice->count - std::min(choice->count, plan.left_out);
                if (plan.count == 0) plan.targets.clear();
                std::stable_partition(plan.targets.begin(), plan.targets.end(), [&](std::size_t target) {
                    return before.contains(plan.fleet->instances()[target].id);
                });
            }
            plan.job = std::move(*job);
            return plan;
        };
        parts_.home.post([this, run, plan = std::make_shared<tl::expected<Plan, std::string>>(make())] {
            --pending_;
            begin(run, std::move(*plan));
        });
    });
}

void Executor::begin(const RunPtr& run, tl::expected<Plan, std::string> plan) {
    auto& outcome = run->outcome;
    if (!plan) {
        outcome.instances.reset();
        outcome.msg = plan.error();
        return end(run, outcome);
    }
    outcome.instances->total = plan->targets.size();
    if (run->stopped) {
        outcome.msg = run->stopped->message;
        return end(run, outcome);
    }
    if (plan->targets.empty()) {
        outcome.ok = true;
        outcome.msg = fmt::format("nothing to do: all {} ended well before", counted(plan->left_out, "phone"));
        return end(run, outcome);
    }
    run->fleet = plan->fleet;
    leave_held_phones(*run, *plan);
    outcome.instances->total = plan->targets.size() + run->refused.size();
    for (auto& row : run->refused) run->on_row(std::move(row));
    if (plan->targets.empty()) return run->on_done();
    run->call = drover::run(*plan->fleet, *plan->job, plan->targets, {}, *run);
}

// What a run through the server holds is left alone, and its row says so; an agent's own jobs hold nothing. A job that asks for a
// number of idle phones gets so many or none: its controller asks again, so nothing waits here.
void Executor::leave_held_phones(Run& run, Plan& plan) {
    const auto admit = parts_.phones.holds().admission();
    const auto count = plan.count;
    std::vector<std::size_t> free;
    for (const auto target : plan.targets) {
        const auto& phone = plan.fleet->instances()[target];
        const auto status = parts_.phones.status(phone.id);
        const auto held = admit(phone);
        if (count > 0 && (held || !status || status->status != kRunning || free.size() == count)) continue;
        if (!held) {
            free.push_back(target);
            continue;
        }
        Row row;
        row.instance_id = phone.id;
        row.code = held->code;
        row.error_msg = held->message;
        run.refused.push_back(std::move(row));
    }
    plan.targets = std::move(free);
    if (plan.targets.size() >= count) return;
    run.outcome.msg =
        fmt::format("the job wants {}, and there are {}", counted(count, "idle phone"), plan.targets.size());
    plan.targets.clear();
}

void Executor::on_rows(const RunPtr& run) {
    const auto rows = run->take_rows();
    std::vector<std::pair<std::string, bool>> phones;
    auto& counts = *run->outcome.instances;
    for (const auto& row : rows) {
        phones.emplace_back(row.instance_id, row.ok());
        run->instances.push_back(row.instance_id);
        if (parts_.hooks.on_row) parts_.hooks.on_row(row);
        ++(row.ok() ? counts.ok : counts.failed);
        if (!row.ok() && run->outcome.failures.size() < kFailuresTold)
            run->outcome.failures.push_back({row.instance_id, std::string(info(row.code).name), row.error_msg});
        log_.add(run->command.key.task_id, row);
    }
    if (phones.empty()) return;
    if (auto r = parts_.ledger.record(run->command.key.task_id, phones); !r) {
        // SYNC would run these phones again.
        log::error("agent: {}: {}", to_string(run->command.key), r.error().message);
        run->outcome.msg = "what the phones did could not be written down: " + r.error().message;
    }
}

void Executor::on_end(const RunPtr& run) {
    on_rows(run);
    auto& outcome = run->outcome;
    const auto& counts = *outcome.instances;
    outcome.ok = counts.failed == 0 && outcome.msg.empty();
    if (run->stopped) {
        outcome.msg = fmt::format("{}; {} of {} had ended well", run->stopped->message, counts.ok,
                                  counted(counts.total, "phone"));
    } else if (outcome.msg.empty()) {
        outcome.msg = counts.failed == 0
                          ? counted(counts.ok, "phone") + " ended well"
                          : fmt::format("{} of {} failed", counts.failed, counted(counts.total, "phone"));
    }
    end(run, outcome);
}

void Executor::end(const RunPtr& run, Outcome outcome) {
    run->call.reset();
    run->fleet.reset();
    const auto key = run->command.key;
    log_.note(key.task_id, fmt::format("{}: {}: {}", key.name, outcome.ok ? "success" : "fail", outcome.msg));
    const auto instances = std::move(run->instances);
    runs_.erase(key);
    finish(key, std::move(outcome), instances);
    end_stops(key.task_id);
}

void Executor::stop_all(const Error& why) {
    for (auto& [key, run] : runs_) {
        if (run->stopped) continue;
        run->stopped = why;
        if (run->call) run->call->stop(why);
    }
}

void Executor::drop_calls() {
    for (auto& [key, run] : runs_) run->call.reset();
}

void Executor::stop_task(const Command& command) {
    Stop stop{command, task::now_ms(), 0};
    const Error why(Code::cancelled, command.key.name + " of the controller");
    for (auto& [key, run] : runs_) {
        if (key.task_id != command.key.task_id) continue;
        ++stop.stopped;
        if (run->stopped) continue;
        run->stopped = why;
        if (run->call) run->call->stop(why);
    }
    stops_.push_back(std::move(stop));
    end_stops(command.key.task_id);
}

// What a STOP or DELETE ended has ended: now it is done itself, and its result comes after theirs.
void Executor::end_stops(const std::string& task_id) {
    const bool busy =
        std::any_of(runs_.begin(), runs_.end(), [&](const auto& r) { return r.first.task_id == task_id; });
    if (busy) return;
    for (auto it = stops_.begin(); it != stops_.end();) {
        if (it->command.key.task_id != task_id) {
            ++it;
            continue;
        }
        auto outcome = outcome_of(true, it->stopped > 0 ? "stopped" : "nothing was running", it->started_ms);
        if (it->command.key.name == "DELETE") {
            log_.forget(task_id);
            if (auto r = parts_.ledger.forget_task(task_id); !r) {
                outcome.ok = false;
                outcome.msg = r.error().message;
            } else {
                outcome.msg += "; what was known of the task is forgotten";
            }
        }
        finish(it->command.key, std::move(outcome));
        it = stops_.erase(it);
    }
}

void Executor::on_worker(const Command& command, std::function<Outcome()> work) {
    ++pending_;
    parts_.worker.post([this, key = command.key, work = std::move(work)] {
        parts_.home.post([this, key, outcome = work()] {
            --pending_;
            finish(key, outcome);
        });
    });
}

void Executor::upload_log(const Command& command) {
    const auto now = task::now_ms();
    const auto bucket = parts_.config.buckets.find(command.bucket);
    if (bucket == parts_.config.buckets.end())
        return finish(command.key, outcome_of(false, "no directory is configured here for this bucket", now));
    on_worker(command, [now, file = log_.file_of(command.key.task_id), bucket = bucket->second] {
        const auto uploaded = upload(file, bucket);
        if (!uploaded) return outcome_of(false, uploaded.error().message, now);
        return outcome_of(true, "written: " + uploaded->string(), now);
    });
}

void Executor::reset_log_acl(const Command& command) {
    const auto now = task::now_ms();
    const auto bucket = parts_.config.buckets.find(command.bucket);
    if (bucket == parts_.config.buckets.end())
        return finish(command.key, outcome_of(false, "no directory is configured here for this bucket", now));
    on_worker(command, [now, bucket = bucket->second] {
        const auto done = reset_mode(bucket);
        if (!done) return outcome_of(false, done.error().message, now);
        return outcome_of(true, fmt::format("{}: mode {:04o}", bucket.directory.string(), bucket.mode), now);
    });
}

}  // namespace drover::agent
