#include "job/steps/shell_activity.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace drover::job {

Outcome outcome_of(Row&& row) {
    return Outcome{row.code, std::move(row.error_msg), row.exit_code, row.phase, row.attempts > 0};
}

ShellActivity::ShellActivity(const ActivityContext& context, std::string command)
    : owner_(context.owner), execution_(context.phone, *this, this, context.target) {
    command_.text = std::move(command);
    command_.limits = context.limits;
    command_.limits.max_output_bytes = 0;  // the owner keeps what it wants
    command_.limits.total *= 2;            // and says when it is over
}

void ShellActivity::start() { execution_.start(std::move(command_)); }
void ShellActivity::stop(const Error& why) { execution_.stop(why); }
void ShellActivity::expire(std::string_view limit) { execution_.expire(limit); }
void ShellActivity::on_result(Row&& row) { owner_.on_outcome(outcome_of(std::move(row))); }

OutputSink::Flow ShellActivity::on_output(std::size_t, OutputStream stream, std::string_view bytes,
                                          std::function<void()> resume) {
    return owner_.on_step_output(stream, bytes, std::move(resume));
}

PollActivity::PollActivity(const ActivityContext& context, std::string command, std::string awaited,
                           Limits::Millis every)
    : phone_(context.phone),
      owner_(context.owner),
      limits_(context.limits),
      command_(std::move(command)),
      awaited_(std::move(awaited)),
      every_(every) {}

void PollActivity::start() { ask(); }

void PollActivity::ask() {
    dispatch::ExecutionOwner& owner = *this;
    execution_.emplace(phone_, owner, nullptr, 0);
    Command command;
    command.text = command_;
    command.limits = limits_;
    command.limits.total = std::min(kAnswerMax, limits_.total);
    command.limits.max_output_bytes = 0;
    execution_->start(std::move(command));
}

void PollActivity::on_result(Row&& row) {
    if (done_) return;
    opened_ = opened_ || row.attempts > 0;
    if (row.ok()) return finish(Outcome{Code::ok, {}, 0, Phase::done, true});
    const bool can_change = row.code != Code::unauthorized && row.code != Code::wants_tls &&
                            row.code != Code::no_permission && row.code != Code::command_too_long;
    if (!can_change) return finish(outcome_of(std::move(row)));
    last_ = row.code == Code::command_failed ? std::string() : row.error_msg;
    phone_.loop().arm_after(ask_, every_);
}

void PollActivity::stop(const Error& why) {
    if (done_) return;
    finish(Outcome{why.code, dispatch::error_text(why.code, why.message), {}, Phase::run, opened_});
}

void PollActivity::expire(std::string_view limit) {
    if (done_) return;
    const auto detail = fmt::format("{}: {}{}{}", limit, awaited_, last_.empty() ? "" : "; at last: ", last_);
    finish(Outcome{Code::timeout, dispatch::error_text(Code::timeout, detail), {}, Phase::run, opened_});
}

void PollActivity::finish(Outcome outcome) {
    done_ = true;
    ask_.cancel();
    if (execution_) execution_->stop(Error(Code::cancelled, ""));
    owner_.on_outcome(std::move(outcome));
}

}  // namespace drover::job
