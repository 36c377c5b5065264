// The other half of JobWork: its limits, being stopped, and what it asks the phone before the first step.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/assert.hpp"
#include "base/duration.hpp"
#include "dispatch/execution.hpp"
#include "job/steps/shell_activity.hpp"
#include "job/work.hpp"

namespace drover::job {

Scope JobWork::scope() const {
    return Scope{instance_,
                 phone_values_,
                 outputs_,
                 combination_values(run_->job.model(), planned().combination),
                 run_->secrets.values(),
                 run_->run_id,
                 standing_};
}

Millis JobWork::limit_of_step() const {
    if (step().timeout) return *step().timeout;
    const auto usual = step().action->usual_timeout().value_or(run_->limits.total);
    // Later than the limit of the whole job, which is the one to be told.
    return run_->timeout && !planned().finally ? 2 * *run_->timeout : usual;
}

std::uint64_t JobWork::ms_since(TimePoint then) const {
    const auto taken = phone_->loop().now() - then;
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(taken).count());
}

void JobWork::on_step_timeout() {
    DROVER_ASSERT(activity_);
    const auto limit = stage_ == Stage::asking_phone ? run_->limits.total : limit_of_step();
    activity_->expire(fmt::format("not done within {}", drover::to_string(limit)));
}

bool JobWork::has_more_steps() const {
    const auto& plan = run_->plan;
    return std::any_of(plan.begin() + static_cast<std::ptrdiff_t>(position_), plan.end(),
                       [](const PlannedStep& p) { return !p.finally; });
}

void JobWork::on_job_timeout() {
    const bool in_finally = position_ < run_->plan.size() && planned().finally;
    if (in_finally && !has_more_steps()) return;
    const auto limit = fmt::format("the phone's limit for the whole job is {}", drover::to_string(*run_->timeout));
    ending_ = Error(Code::timeout, limit);
    if (!in_finally) return end_early(Standing::failed);
    // `finally` has limits of its own, and goes on; the combinations of the matrix that come after it do not.
    standing_ = Standing::failed;
}

void JobWork::stop(const Error& why) {
    if (stage_ == Stage::done) return;
    ending_ = why;
    if (position_ < run_->plan.size() && planned().finally) {
        if (stage_ != Stage::at_barrier) return;
        stage_ = Stage::between;  // those it waits for may take long
        begin_step();
        return pump();
    }
    end_early(Standing::cancelled);
}

// With strategy.fail-fast another phone's failure is as a stop between two steps: a step at work goes on until the call is stopped.
void JobWork::heed_failures() {
    if (ending_ || row_failed() || !run_->job.model().strategy.fail_fast) return;
    if (position_ < run_->plan.size() && planned().finally) return;
    ending_ = run_->failure.get();
    if (!ending_) return;
    job_deadline_.cancel();
    standing_ = Standing::cancelled;
}

void JobWork::end_early(Standing standing) {
    job_deadline_.cancel();
    standing_ = standing;
    switch (stage_) {
        case Stage::asking_phone:
        case Stage::attempting:
            return standing == Standing::cancelled ? activity_->stop(*ending_) : activity_->expire(ending_->message);
        case Stage::backing_off:
            backoff_.cancel();
            end_step(
                Outcome{ending_->code, dispatch::error_text(ending_->code, ending_->message), {}, Phase::run, true});
            return pump();
        case Stage::at_barrier:
        case Stage::noting: unasked_ ? end_unasked() : skip_step(); return pump();
        case Stage::closing: return tell_companions();
        case Stage::between:
        case Stage::done: return;
    }
}

void JobWork::ask_phone() {
    stage_ = Stage::asking_phone;
    std::string command;
    for (const auto& fact : phone_facts()) command += fmt::format("getprop {}; ", fact.property);
    // It counts as part of the first step.
    ActivityContext context{*phone_, *this, scope(), run_->limits, {}, target_, 0, ""};
    const auto limit = context.limits.total;
    activity_ = std::make_unique<ShellActivity>(context, std::move(command));
    phone_->loop().arm_after(step_deadline_, limit);
    activity_->start();
}

void JobWork::on_phone_answer(Outcome&& outcome) {
    step_deadline_.cancel();
    activity_.reset();
    std::string_view rest = answer_;
    while (!rest.empty()) {
        const auto end = rest.find('\n');
        auto line = rest.substr(0, end);
        if (line.ends_with('\r')) line.remove_suffix(1);
        phone_values_.push_back(sanitize_utf8(line));
        if (end == std::string_view::npos) break;
        rest.remove_prefix(end + 1);
    }
    stage_ = Stage::between;
    // The exit code is that of the last property only; what counts is whether the phone could be asked.
    if (outcome.code != Code::ok && outcome.code != Code::command_failed && outcome.code != Code::exit_code_unknown)
        unasked_ = std::move(outcome);
    pump();
}

// The first step fails of it that a run that is taken up has not done, and comes to it with the other phones.
void JobWork::end_unasked() {
    Outcome outcome = *std::exchange(unasked_, std::nullopt);
    step_started_ = started_;
    output_.emplace(run_->secrets, 0, false, StepOutput::Sinks());
    if (outcome.opened) total_.attempts = 1;
    outcome.message = run_->secrets.masked(outcome.message);
    end_step(std::move(outcome));
}

}  // namespace drover::job
