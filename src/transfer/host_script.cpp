#include "transfer/host_script.hpp"

#include <fmt/format.h>

#include "adb/shell.hpp"
#include "base/assert.hpp"
#include "base/duration.hpp"
#include "base/shell_quote.hpp"
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

class CallWithRemovals final : public Call {
public:
    CallWithRemovals(std::unique_ptr<Call> call, std::shared_ptr<Removals> removals)
        : call_(std::move(call)), removals_(std::move(removals)) {}
    ~CallWithRemovals() override {
        call_.reset();
        removals_->wait();
    }
    void stop(Error why) override { call_->stop(std::move(why)); }
    void wait() override { call_->wait(); }

private:
    std::unique_ptr<Call> call_;
    const std::shared_ptr<Removals> removals_;
};

}  // namespace

HostScriptOperation::HostScriptOperation(fleet::Phone& phone, dispatch::OperationOwner& owner, WorkPool& pool,
                                         std::shared_ptr<const PushPlan> script, std::string words, Limits limits,
                                         OutputSink* output, std::size_t target, std::shared_ptr<Removals> removals)
    : phone_(phone),
      owner_(owner),
      words_(std::move(words)),
      limits_(limits),
      output_(output),
      target_(target),
      remote_(fresh_name()),
      removals_(std::move(removals)) {
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
    if (stage_ == Stage::removal) return give_row();
}

void HostScriptOperation::stop(const Error& why) {
    stopped_ = true;
    with_current([&](auto& operation) { operation.stop(why); });
}

void HostScriptOperation::expire(std::string_view limit) {
    stopped_ = true;
    with_current([&](auto& operation) { operation.expire(limit); });
}

void HostScriptOperation::on_total_deadline() { expire(fmt::format("not done within {}", to_string(limits_.total))); }

void HostScriptOperation::on_result(Row&& row) {
    DROVER_ASSERT(stage_ != Stage::done);
    if (stage_ == Stage::push && row.ok() && !stopped_) return run();
    finish(std::move(row));
}

void HostScriptOperation::run() {
    stage_ = Stage::run;
    dispatch::ExecutionOwner& self = *this;
    run_.emplace(phone_, self, output_, target_);
    Command command;
    command.text = fmt::format("sh {}{}{}", shell_quote(remote_), words_.empty() ? "" : " ", words_);
    command.limits = stage_limits(limits_);
    run_->start(std::move(command));
}

void HostScriptOperation::finish(Row&& row) {
    // A push that was stopped may have come to its end on the phone.
    const bool may_be_there = stage_ == Stage::run || row.attempts > 0;
    total_deadline_.cancel();
    row_ = std::move(row);
    stage_ = Stage::removal;
    const bool waits = removals_->rows() == Removals::Rows::wait && !stopped_;
    auto then = [handle = handle_] {
        if (*handle && (*handle)->stage_ == Stage::removal) (*handle)->give_row();
    };
    const bool begun = may_be_there && removals_->remove(phone_, remote_, waits ? then : std::function<void()>());
    if (!begun || !waits) give_row();
}

void HostScriptOperation::give_row() {
    stage_ = Stage::done;
    owner_.on_result(std::move(row_));
}

dispatch::OperationFactory make_host_script(WorkPool& pool, std::shared_ptr<const PushPlan> script, std::string words,
                                            Limits limits, OutputSink* output, std::shared_ptr<Removals> removals) {
    return [&pool, script = std::move(script), words = std::move(words), limits, output,
            removals = std::move(removals)](fleet::Phone& phone, dispatch::OperationOwner& owner, std::size_t target) {
        return std::make_unique<HostScriptOperation>(phone, owner, pool, script, words, limits, output, target,
                                                     removals);
    };
}

std::unique_ptr<Call> with_removals(std::unique_ptr<Call> call, std::shared_ptr<Removals> removals) {
    return std::make_unique<CallWithRemovals>(std::move(call), std::move(removals));
}

}  // namespace drover::transfer
