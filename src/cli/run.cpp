#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <random>

#include "base/yaml_tree.hpp"
#include "cli/fleet_choice.hpp"
#include "cli/journaled_call.hpp"
#include "cli/notify.hpp"
#include "cli/session.hpp"
#include "cli/terminal.hpp"
#include "drover/job.hpp"
#include "job/model.hpp"
#include "job/plan.hpp"
#include "job/rollout.hpp"

namespace drover::cli {
namespace {

constexpr std::chrono::milliseconds kWaitForPhones{60'000};

struct RunArguments {
    CallOptions call;
    std::string file;
    std::optional<std::filesystem::path> artifacts;
    std::string rc = "worst";
    std::optional<std::string> resume, retry_failed;  // the name of a run
    std::uint64_t count = 0;                          // 0: as the job says
    std::optional<std::chrono::milliseconds> wait;
};

// A name for this run, unique enough for one host: the time, and something by chance.
std::string new_run_id() {
    std::random_device random;
    return fmt::format("{:%Y%m%d-%H%M%S}-{:04x}", fmt::gmtime(std::chrono::system_clock::now()), random() & 0xFFFF);
}

// --rc=policy: failures that strategy.rollout allows make 11.
int judge(int code, const report::Tally& tally, const job::Model& model) {
    constexpr int kCommand = 10, kAllowed = 11, kFarm = 20, kDeadline = 21;
    if ((code != kCommand && code != kFarm && code != kDeadline) || !model.strategy.rollout) return code;
    std::size_t lost = 0;
    for (const auto& known : all_codes()) lost += known.exit_code == kFarm ? tally.count(known.code) : 0;
    job::Budget budget(*model.strategy.rollout, tally.rows());
    budget.add(tally.failed() - lost, lost);
    return budget.exceeded() ? code : kAllowed;
}

std::string absolute_directory(const std::optional<std::filesystem::path>& dir) {
    if (!dir) return {};
    const auto path = std::filesystem::absolute(*dir).lexically_normal();
    return (path.has_filename() ? path : path.parent_path()).string();
}

// The run that --resume or --retry-failed names.
struct Older {
    std::shared_ptr<job::Journal> journal;  // of a resumed run, which goes on in the same file
    std::shared_ptr<job::Past> past;
};

std::filesystem::path runs_dir() {
    const auto state = state_dir();
    return state.empty() ? state : state / "runs";
}

Result<Older> open_older(const RunArguments& o) {
    Older older;
    if (o.resume) {
        auto reopened = job::Journal::reopen(runs_dir(), *o.resume);
        if (!reopened) return tl::unexpected(reopened.error());
        older.journal = std::move(reopened->journal);
        older.past = std::make_shared<job::Past>(std::move(reopened->past));
    } else if (o.retry_failed) {
        auto past = job::Journal::read_ended(runs_dir(), *o.retry_failed);
        if (!past) return tl::unexpected(past.error());
        older.past = std::make_shared<job::Past>(*std::move(past));
    }
    return older;
}

std::optional<std::filesystem::path> artifacts_of(const RunArguments& o, const job::Model& job) {
    return o.artifacts || job.artifacts.empty() ? o.artifacts : job.artifacts;
}

// What the older run kept in the directory of this one is told as if this one had kept it.
void tell_files_from(const std::string& directory, job::Past& past) {
    const auto tell = [&](StepResult& step) {
        if (step.files_dir == directory) step.files_dir.clear();
    };
    for (auto& phone : past.phones) {
        for (auto& [position, ended] : phone.ended) tell(ended.result);
        if (!phone.row) continue;
        for (auto& step : phone.row->steps) tell(step);
    }
}

class JobRun {
public:
    JobRun(const Context& context, const RunArguments& o, const Job& job, std::string text, Older older,
           std::string fingerprint)
        : context_(context),
          o_(o),
          job_(job),
          text_(std::move(text)),
          older_(std::move(older)),
          fingerprint_(std::move(fingerprint)) {}

    int run() {
        if (older_.past) tell_files_from(absolute_directory(artifacts()), *older_.past);
        Task task;
        task.name = job_.name();
        task.selector = o_.call.on ? *o_.call.on : job_.on().value_or("all");
        if (older_.past) task.selector = fmt::format("{}", fmt::join(older_.past->head.phones, ","));
        task.choice = choice();
        task.steps = report::Steps::with;
        task.artifacts = artifacts();
        task.resumed = o_.resume.has_value();
        if (older_.past) task.kept_output = [this](const std::string& id) { return kept_output(id); };
        task.step_directories = job_.step_directories();
        task.direct_only = task.artifacts    ? "--artifacts"
                           : o_.resume       ? "--resume"
                           : o_.retry_failed ? "--retry-failed"
                                             : "";
        task.stop_grace = job_.finally_limit(o_.call.all_limits());
        if (o_.rc == "policy")
            task.judge = [&](int code, const report::Tally& tally) { return judge(code, tally, job_.model()); };
        task.notify = [&](int code, const report::Tally& tally, const std::function<bool()>& told_to_stop) {
            notify(job_.model().notify, RunEnd{job_.name(), run_id_, tally, code}, told_to_stop);
        };
        task.start = [&](Herd& herd, const std::vector<std::size_t>& targets, const Sinks& sinks) {
            return begin(herd, targets, sinks);
        };
        return run_task(context_, o_.call, task);
    }

private:
    // --on says which phones instead of the job: how many of its own, the job has no say in then.
    std::optional<Herd::Choice> choice() const {
        if (older_.past) return std::nullopt;
        static const std::optional<job::Choice> kNone;
        const auto& of_job = o_.call.on ? kNone : job_.model().choice;
        Herd::Choice choice{o_.count, {}, job_.name()};
        if (choice.count == 0 && of_job) choice.count = of_job->count;
        const auto wait = o_.wait ? o_.wait : of_job ? of_job->wait : std::nullopt;
        if (choice.count == 0 && !wait) return std::nullopt;
        choice.wait = wait.value_or(kWaitForPhones);
        return choice;
    }

    std::unique_ptr<Call> begin(Herd& herd, const std::vector<std::size_t>& targets, const Sinks& sinks) {
        RunOptions options;
        options.timeout = o_.call.timeout;
        options.limits = o_.call.all_limits();
        options.max_parallel = o_.call.max_parallel;
        options.deadline = sinks.deadline;
        options.output = sinks.output;
        options.artifacts = sinks.steps;
        options.artifacts_dir = artifacts().value_or("");
        // The journal of a run is with the fleet that runs it, and a server keeps none.
        auto parts = herd.fleet() ? parts_of(herd, targets) : std::nullopt;
        options.run_id = run_id_;
        if (!parts) return herd.run(job_, text_, targets, options, sinks.rows);
        options.journal = parts->journal;
        if (o_.resume) {
            if (parts->rest.empty()) tell_nothing_left(parts->done);
            options.past = older_.past;
            parts->again = sinks.steps;
        }
        parts->output = sinks.output;
        parts->files = sinks.steps;
        std::vector<std::size_t> rest;
        for (const auto target : parts->rest) {
            rest.push_back(targets[target]);
            options.numbers.push_back(parts->numbers[target]);
        }
        options.positions = parts->rest;
        const auto start = [&](RowSink& rows) { return herd.run(job_, text_, rest, options, rows); };
        return std::make_unique<JournaledCall>(*std::move(parts), start, sinks.rows);
    }

    // Empty when there can be no journal: the run goes on without one.
    std::optional<JournaledCall::Parts> parts_of(const Herd& herd, const std::vector<std::size_t>& targets) {
        JournaledCall::Parts parts;
        const auto ids = herd.ids_of(targets);
        parts.journal = older_.journal;
        run_id_ = parts.journal ? older_.past->head.id : new_run_id();
        if (!parts.journal) {
            const auto dir = runs_dir();
            Result<std::unique_ptr<job::Journal>> made = fail(Code::store_failed, "there is no home directory");
            if (!dir.empty()) made = job::Journal::create(dir, job::RunHead{run_id_, file(), fingerprint_, ids});
            if (!made) {
                say("drover: this run cannot be resumed: " + made.error().message);
                return std::nullopt;
            }
            parts.journal = *std::move(made);
        }
        const auto kept_in = absolute_directory(artifacts());
        if (kept_in != (o_.resume ? older_.past->artifacts : "")) parts.journal->artifacts(kept_in);
        const auto dir = absolute_directory(o_.call.out_dir);
        if (!dir.empty() && !(o_.resume && older_.past->out_dir == dir)) parts.journal->out_dir(dir);
        say(fmt::format("drover: run {}", run_id_));
        for (std::size_t i = 0; i < ids.size(); ++i) place(i, ids[i], parts);
        return parts;
    }

    // One that was stopped has done its `finally` steps: going on behind those would find what they put away.
    void tell_nothing_left(const std::vector<Row>& rows) const {
        const auto failed = std::count_if(rows.begin(), rows.end(), [](const Row& row) { return !row.ok(); });
        auto told = fmt::format("drover: run {} has ended, nothing of it is left to do", run_id_);
        if (failed > 0) told += fmt::format("; --retry-failed {} runs the job again where it failed", run_id_);
        say(told);
    }

    const job::PastPhone& past_of(const std::string& id) const {
        const auto& known = older_.past->head.phones;
        return older_.past->phones[static_cast<std::size_t>(std::find(known.begin(), known.end(), id) - known.begin())];
    }

    // --out-dir has what phones printed that do not begin anew, up to the last step that ended: another directory has nothing.
    std::optional<OutputLengths> kept_output(const std::string& id) const {
        const auto& past = past_of(id);
        if (absolute_directory(o_.call.out_dir) != older_.past->out_dir) return OutputLengths{};
        if (o_.retry_failed && !(past.row && past.row->ok())) return OutputLengths{};
        // What a step printed that runs again comes again.
        const bool runs_again = std::all_of(past.begun.begin(), past.begun.end(), [this](std::size_t step) {
            return step >= planned_.size() || planned_[step].step->idempotent;
        });
        if (past.row || !runs_again) return std::nullopt;
        return past.lengths;
    }

    // Whether the phone is done already, and what it is called in the journal.
    void place(std::size_t target, const std::string& id, JournaledCall::Parts& parts) const {
        std::optional<Row> row;
        std::size_t number = target;
        if (older_.past) {
            const auto& known = older_.past->head.phones;
            const auto old = static_cast<std::size_t>(std::find(known.begin(), known.end(), id) - known.begin());
            row = older_.past->phones[old].row;
            if (o_.resume) number = old;
        }
        parts.numbers.push_back(number);
        if (!row || (o_.retry_failed && !row->ok())) return parts.rest.push_back(target);
        row->index = target;
        row->instance_id = id;
        if (o_.retry_failed) parts.journal->row(number, *row);
        parts.done.push_back(*std::move(row));
    }

    std::optional<std::filesystem::path> artifacts() const { return artifacts_of(o_, job_.model()); }
    std::string file() const { return std::filesystem::absolute(job_.model().file).lexically_normal().string(); }

    const Context& context_;
    const RunArguments& o_;
    const Job& job_;
    const std::string text_;  // as it stands in the file: a running server gets the text
    const Older older_;
    const std::string fingerprint_;
    const std::vector<job::PlannedStep> planned_ = job::planned_steps(job_.model());
    std::string run_id_;
};

int run_job(const Context& context, const RunArguments& o) {
    if (o.rc != "worst" && o.rc != "policy")
        return report_error(Error(Code::usage, fmt::format("run: --rc: '{}' is none of worst, policy", o.rc)));
    const bool goes_on = o.resume || o.retry_failed;
    if (o.resume && o.retry_failed)
        return report_error(Error(Code::usage, "run: --resume and --retry-failed do not go together"));
    if (goes_on && (!o.file.empty() || o.call.on || o.count > 0 || o.wait))
        return report_error(Error(Code::usage,
                                  "run: the older run says which job and which phones: leave out JOB.yaml, --on, "
                                  "--count and --wait"));
    if (!goes_on && o.file.empty()) return report_error(Error(Code::usage, "run: which job? drover run JOB.yaml"));
    auto older = open_older(o);
    if (!older) return report_error(older.error());
    const auto job = Job::load(goes_on ? older->past->head.file : o.file);
    if (!job) {
        for (const auto& error : job.error()) say(error.message);
        return info(Code::bad_job).exit_code;
    }
    const auto text = yaml::read_text({job->model().file, Code::bad_job, job::kJobBytesMax});
    if (!text) return report_error(text.error());
    auto fingerprint = job::fingerprint_of(job->model().file, job->model().used_files);
    if (!fingerprint) return report_error(fingerprint.error());
    if (o.resume && *fingerprint != older->past->head.fingerprint) {
        return report_error(Error(Code::usage, fmt::format("run: {} has changed since run {} began: run it anew",
                                                           job->model().file, *o.resume)));
    }
    // Other than in a resumed run, each phone gets the job as a whole.
    if (o.retry_failed && *fingerprint != older->past->head.fingerprint) {
        say(fmt::format("drover: {} has changed since run {} began: the phones that failed get it as it is now",
                        job->model().file, *o.retry_failed));
    }
    return JobRun(context, o, *job, *text, *std::move(older), *std::move(fingerprint)).run();
}

}  // namespace

void add_run(Program& program, Context& context) {
    auto o = std::make_shared<RunArguments>();
    auto& command = program.add("run", "Runs a job file on phones; each goes through the steps by itself");
    command.positional("JOB.yaml", o->file, "the job file", Need::optional);
    command.takes_config();
    command.takes_server();
    add_call_options(command, o->call);
    command.number("--count", "N", o->count, "so many of the phones: idle ones, that no other run holds", 1, 100'000);
    command.duration("--wait", o->wait, "until the phones are free (1m with --count; else held ones get a row)");
    command.path("--artifacts", "DIR", o->artifacts,
                 "also write the whole output of each step to DIR/ID/STEP/stdout and stderr");
    command.text("--rc", "RULE", o->rc, "worst (default), or policy: 11 when strategy.rollout allows what failed");
    command.text("--resume", "RUN", o->resume,
                 "take up a run that was killed: do what is missing, nothing twice; not one that was stopped");
    command.text("--retry-failed", "RUN", o->retry_failed,
                 "run the job of an older run again on the phones that failed");
    command.action([o, &context] { return run_job(context, *o); });
}

}  // namespace drover::cli
