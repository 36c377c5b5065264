#include "transfer/host_script.hpp"

#include <fmt/format.h>

#include "adb/shell.hpp"
#include "base/duration.hpp"
#include "transfer/shell_task.hpp"

namespace drover::transfer {
namespace {

std::string fresh_name() { return "/data/local/tmp/drover-" + adb::random_marker().substr(0, 16) + ".sh"; }

PushOptions push_options(const std::string& remote) {
    PushOptions options;
    options.remote = remote;
    options.compress = Compress::none;
    options.mode = 0755;
    return options;
}

// This operation has a deadline of its own over all stages.
Limits stage_limits(Limits limits) {
    limits.total = 2 * limits.total;
    return limits;
}

}  // namespace

HostScriptOperation::HostScriptOperation(fleet::Phone& phone, dispatch::OperationOwner& owner, WorkPool& pool,
                                         std::shared_ptr<const PushPlan> script, std::string words, Limits limits,
                                         OutputSink* output, std::size_t target)
    : phone_(phone),
      owner_(owner),
      words_(std::move(words)),
      limits_(limits),
      output_(output),
      target_(target),
      remote_(fresh_name()) {
    dispatch::ExecutionOwner& self = *this;
    auto made = make_push(pool, std::move(script), push_options(remote_), {stage_limits(limits), std::nullopt})(
        phone, self, target);
    push_.reset(static_cast<StreamOperation*>(made.release()));
}

void HostScriptOperation::start() {
    phone_.loop().arm_after(total_deadline_, limits_.total);
    push_->start();
}

template <class F>
void HostScriptOperation::with_current(F&& f) {
    if (stage_ == Stage::push) return f(*push_);
    if (stage_ == Stage::run) return f(*run_);
}

void HostScriptOperation::stop(const Error& why) {
    stopped_ = hurried_ = true;
    with_current([&](auto& operation) { operation.stop(why); });
}

void HostScriptOperation::expire(std::string_view limit) {
    stopped_ = true;
    with_current([&](auto& operation) { operation.expire(limit); });
}

void HostScriptOperation::on_total_deadline() { expire(fmt::format("not done within {}", to_string(limits_.total))); }

void HostScriptOperation::on_result(Row&& row) {
    switch (stage_) {
        case Stage::push:
            row_ = std::move(row);
            if (row_.ok() && !stopped_) return run();
            // A push that was stopped may have come to its end on the phone.
            return row_.attempts > 0 ? remove() : finish();
        case Stage::run: row_ = std::move(row); return remove();
        case Stage::removal: return finish();
        case Stage::done: return;
    }
}

void HostScriptOperation::run() {
    stage_ = Stage::run;
    dispatch::ExecutionOwner& self = *this;
    run_.emplace(phone_, self, output_, target_);
    Command command;
    command.text = fmt::format("sh {}{}{}", shell_word(remote_), words_.empty() ? "" : " ", words_);
    command.limits = stage_limits(limits_);
    run_->start(std::move(command));
}

void HostScriptOperation::remove() {
    stage_ = Stage::removal;
    total_deadline_.cancel();
    if (!phone_.peer()) return finish();  // the link is gone
    dispatch::ExecutionOwner& self = *this;
    removal_.emplace(phone_, self, nullptr, target_);
    Command command;
    command.text = "rm -f " + shell_word(remote_);
    command.limits.total = hurried_ ? kHurriedRemovalMax : kRemovalMax;
    removal_->start(std::move(command));
}

void HostScriptOperation::finish() {
    stage_ = Stage::done;
    total_deadline_.cancel();
    owner_.on_result(std::move(row_));
}

dispatch::OperationFactory make_host_script(WorkPool& pool, std::shared_ptr<const PushPlan> script, std::string words,
                                            Limits limits, OutputSink* output) {
    return [&pool, script = std::move(script), words = std::move(words), limits, output](
               fleet::Phone& phone, dispatch::OperationOwner& owner, std::size_t target) {
        return std::make_unique<HostScriptOperation>(phone, owner, pool, script, words, limits, output, target);
    };
}

}  // namespace drover::transfer
