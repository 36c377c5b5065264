#include "job/work.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/assert.hpp"
#include "base/duration.hpp"
#include "base/utf8.hpp"
#include "dispatch/execution.hpp"
#include "job/rollout.hpp"

namespace drover::job {
namespace {

// Of a step: a row stays small, whatever a template expands to. What is wrong most often stands at the end.
constexpr std::size_t kMessageHeadBytes = 2048, kMessageTailBytes = 1024;

std::string shortened(std::string message) {
    if (message.size() <= kMessageHeadBytes + kMessageTailBytes) return message;
    const auto head = utf8_floor(message, kMessageHeadBytes);
    const auto tail = utf8_floor(message, message.size() - kMessageTailBytes);
    return fmt::format("{} ... ({} bytes) ... {}", message.substr(0, head), tail - head, message.substr(tail));
}

}  // namespace

JobWork::JobWork(std::shared_ptr<RunShared> run, std::size_t target)
    : run_(std::move(run)),
      target_(target),
      outputs_(run_->job.model().output_slots),
      handle_(std::make_shared<JobWork*>(this)) {}

JobWork::~JobWork() { *handle_ = nullptr; }

void JobWork::start(fleet::Phone& phone, dispatch::WorkDone& done) {
    phone_ = &phone;
    instance_ = phone.instance();
    done_ = &done;
    started_ = phone.loop().now();
    if (run_->timeout) phone.loop().arm_after(job_deadline_, *run_->timeout);
    if (!has_past()) heed_failures();
    if (run_->job.model().asks_phone && !ending_) ask_phone();
    pump();
}

// One step after the other, without recursion: a step may end before its start() returns.
void JobWork::pump() {
    if (std::exchange(pumping_, true)) return;
    while (stage_ == Stage::between && position_ < run_->plan.size()) next_step();
    pumping_ = false;
    if (stage_ != Stage::between) return;
    if (companions_.empty()) return finish();
    close_companions();
}

void JobWork::next_step() {
    if (!companions_.empty() && combination_ != planned().combination) return close_companions();
    enter_combination();
    result_ = StepResult();
    result_.name = step().name;
    result_.kind = step().kind;
    result_.combination = combination_text(run_->job.model(), planned().combination);
    step_started_ = phone_->loop().now();
    if (run_->barrier && !ending_) return come_to_barrier();
    begin_step();
}

void JobWork::enter_combination() {
    if (combination_ == planned().combination) return;
    combination_ = planned().combination;
    combination_begun_ = false;
    if (!ending_) standing_ = Standing::good;
    std::fill(outputs_.begin(), outputs_.end(), std::nullopt);
}

void JobWork::come_to_barrier() {
    stage_ = Stage::at_barrier;
    run_->barrier->arrive(this, [handle = handle_, &loop = phone_->loop(), position = position_] {
        loop.post([handle, position] {
            JobWork* self = *handle;
            if (!self || self->stage_ != Stage::at_barrier || self->position_ != position) return;
            self->stage_ = Stage::between;
            self->begin_step();
            self->pump();
        });
    });
}

// What no `if` can change.
bool JobWork::out_of_question() const {
    if (planned().finally) return !combination_begun_;
    if (ending_) return true;
    return row_failed() && run_->job.model().strategy.fail_fast && standing_ == Standing::good;
}

std::optional<bool> JobWork::wanted() {
    if (out_of_question()) return false;
    bool asks_standing = false;
    for (const auto& condition : step().conditions) {
        asks_standing = asks_standing || condition.asks_standing();
        const auto value = condition.evaluate(scope());
        if (!value) {
            const auto text = dispatch::error_text(Code::step_impossible, "if: " + value.error());
            end_step(Outcome{Code::step_impossible, text, {}, Phase::queue, false});
            return std::nullopt;
        }
        if (*value != Value(true)) return false;
    }
    return asks_standing || planned().finally || standing_ == Standing::good;
}

void JobWork::begin_step() {
    attempts_ = 0;
    const bool keep = step().output_slot.has_value();
    // What is left for the whole row; nothing once output was cut, so that no text follows a gap.
    const auto max = run_->limits.max_output_bytes;
    const auto room = total_.truncated ? 0 : max - std::min(max, total_.execute_msg.size());
    output_.emplace(run_->secrets, room, keep,
                    StepOutput::Sinks{run_->output, run_->artifacts, sink_target(), position_});
    step_opened_ = false;
    if (restore_step()) return;
    if (unasked_) return end_unasked();
    if (run_->artifacts) run_->artifacts->on_step_begin(sink_target(), position_);
    heed_failures();
    const auto yes = wanted();
    if (!yes) return;
    if (!*yes) return skip_step();
    note_begin();
}

void JobWork::begin_attempt() {
    ++attempts_;
    stage_ = Stage::attempting;
    auto companion = step().action->goes_on()
                         ? std::make_unique<Companion>(position_, static_cast<CompanionOwner&>(*this))
                         : nullptr;
    ActivityOwner& owner = companion ? companion->as_owner() : *this;
    ActivityContext context{*phone_, owner, scope(), run_->limits, {}, target_, position_, step().name};
    context.attempt = attempts_;
    context.resumed = run_->past != nullptr;
    context.host = run_->host.get();
    context.files = run_->files ? &*run_->files : nullptr;
    context.limits.total = limit_of_step();
    auto made = [&]() -> Result<std::unique_ptr<Activity>> {
        for (const EnvVar& variable : step().env) {
            auto value = variable.value.expand(context.scope);
            if (!value) return fail(Code::step_impossible, fmt::format("env.{}: {}", variable.name, value.error()));
            context.env.emplace_back(variable.name, *std::move(value));
        }
        return step().action->make(context);
    }();
    if (!made) {
        const auto text = dispatch::error_text(made.error().code, made.error().message);
        return on_outcome(Outcome{made.error().code, text, {}, Phase::queue, false});
    }
    if (companion) return add_companion(std::move(companion), *std::move(made));
    phone_->loop().arm_after(step_deadline_, context.limits.total);
    activity_ = *std::move(made);
    activity_->start();
}

OutputSink::Flow JobWork::on_step_output(OutputStream stream, std::string_view bytes, std::function<void()> resume) {
    if (stage_ != Stage::asking_phone) return output_->add(stream, bytes, std::move(resume));
    constexpr std::size_t kAnswerBytesMax = 16 * 1024;
    if (stream == OutputStream::out)
        answer_ += bytes.substr(0, kAnswerBytesMax - std::min(kAnswerBytesMax, answer_.size()));
    return OutputSink::Flow::go_on;
}

void JobWork::on_outcome(Outcome&& outcome) {
    if (stage_ == Stage::asking_phone) return on_phone_answer(std::move(outcome));
    DROVER_ASSERT(stage_ == Stage::attempting);
    step_deadline_.cancel();
    const auto& codes = step().ok_codes;
    if (!codes.empty() && outcome.exit_code) {
        const bool good = std::find(codes.begin(), codes.end(), *outcome.exit_code) != codes.end();
        if (good && outcome.code == Code::command_failed) {
            outcome.code = Code::ok;
            outcome.message.clear();
        } else if (!good && outcome.code == Code::ok) {
            outcome.code = Code::command_failed;
            outcome.message =
                dispatch::error_text(outcome.code, fmt::format("exit code {} is not in ok-codes", *outcome.exit_code));
        }
    }
    outcome.message = shortened(run_->secrets.masked(outcome.message));
    combination_begun_ = combination_begun_ || outcome.opened;
    step_opened_ = step_opened_ || outcome.opened;
    if (outcome.opened) {
        ++result_.attempts;
        total_.attempts = std::max(total_.attempts, result_.attempts);
    }
    const bool again = may_retry(outcome);
    output_->end_attempt(again);
    if (again) return back_off();
    activity_.reset();
    end_step(std::move(outcome));
    pump();
}

bool JobWork::may_retry(const Outcome& outcome) const {
    if (outcome.code == Code::ok || outcome.code == Code::step_impossible || ending_) return false;
    if (attempts_ > step().retry.max) return false;
    const auto& retry = step().retry;
    constexpr int kDeadlineExit = 21;
    const bool timeout = info(outcome.code).exit_code == kDeadlineExit;
    return retry.on_class[static_cast<std::size_t>(info(outcome.code).cls)] || (timeout && retry.on_timeout);
}

void JobWork::back_off() {
    activity_.reset();
    stage_ = Stage::backing_off;
    auto wait = step().retry.backoff;
    for (std::size_t i = 1; i < attempts_ && wait < kBackoffMax; ++i) wait *= 2;
    phone_->loop().arm_after(backoff_, std::min(wait, kBackoffMax));
}

// Failures of the step itself: continue-on-error is about these.
bool JobWork::step_failure_only(Code code) const {
    switch (code) {
        case Code::command_failed:
        case Code::command_too_long:
        case Code::exit_code_unknown:
        case Code::step_impossible:
        case Code::host_program:
        case Code::file_failed:
        case Code::local_file:
        case Code::not_supported:
        case Code::timeout:
        case Code::first_byte_deadline:
        case Code::silence_deadline: return true;
        default: return false;
    }
}

void JobWork::end_step(Outcome&& outcome) {
    result_.code = outcome.code;
    result_.exit_code = outcome.exit_code;
    result_.tests = std::move(outcome.tests);
    result_.files = std::move(outcome.files);
    for (auto& test : result_.tests) {
        for (auto* text : {&test.suite, &test.name, &test.message}) *text = run_->secrets.masked(*text);
    }
    result_.continued =
        outcome.code != Code::ok && !ending_ && step().continue_on_error && step_failure_only(outcome.code);
    result_.begin_ms = ms_since(started_) - ms_since(step_started_);
    result_.ms = ms_since(step_started_);
    const Row part = output_->finish(total_, result_);
    if (const auto slot = step().output_slot) {
        outputs_[*slot] = Output{output_->kept(OutputStream::out),
                                 output_->kept(OutputStream::err),
                                 outcome.exit_code,
                                 outcome.code,
                                 false,
                                 result_.ms};
    }
    if (!planned().finally && !row_failed()) {
        total_.phase = outcome.phase;
        total_.exit_code = outcome.exit_code;
    }
    result_.error_msg = std::move(outcome.message);
    if (outcome.code != Code::ok && !result_.continued) {
        if (standing_ == Standing::good) standing_ = Standing::failed;
        note_failure(outcome.code, outcome.phase, outcome.exit_code, result_);
    }
    note_end(part);
    total_.steps.push_back(std::move(result_));
    ++position_;
    stage_ = Stage::between;
}

void JobWork::note_failure(Code code, Phase phase, std::optional<int> exit_code, const StepResult& of) {
    if (row_failed()) return;
    if (run_->job.model().strategy.fail_fast) run_->failure.set(failed_fast(phone_->instance().id));
    total_.code = code;
    total_.phase = phase;
    total_.exit_code = exit_code;
    const auto& with = of.combination;
    total_.error_msg = fmt::format("{} (step '{}'{}{})", of.error_msg, of.name, with.empty() ? "" : " of ", with);
}

void JobWork::skip_step() {
    result_.skipped = true;
    cut_short_ = cut_short_ || (ending_ && !planned().finally);
    result_.begin_ms = ms_since(started_);
    result_.output_begin = result_.output_end = static_cast<std::uint32_t>(total_.execute_msg.size());
    if (const auto slot = step().output_slot) outputs_[*slot] = Output{{}, {}, {}, Code::ok, true, 0};
    total_.steps.push_back(std::move(result_));
    ++position_;
    stage_ = Stage::between;
}

void JobWork::finish() {
    stage_ = Stage::done;
    job_deadline_.cancel();
    if (run_->barrier) run_->barrier->leave(this);
    if (cut_short_ && !row_failed()) {
        total_.code = ending_->code;
        total_.error_msg = dispatch::error_text(ending_->code, ending_->message);
    } else if (!row_failed()) {
        total_.phase = Phase::done;
    }
    done_->on_row(std::move(total_));
}

}  // namespace drover::job
