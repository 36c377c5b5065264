#include "job/staged_call.hpp"

#include <algorithm>

#include "base/duration.hpp"
#include "base/quiet_thread.hpp"
#include "dispatch/execution.hpp"

namespace drover::job {

StagedCall::StagedCall(Plan plan, MakeRequest make, RowSink& sink)
    : plan_(std::move(plan)),
      make_(std::move(make)),
      sink_(sink),
      deadline_(plan_.deadline ? std::optional(Clock::now() + *plan_.deadline) : std::nullopt) {
    if (plan_.strategy.rollout) {
        budget_.emplace(*plan_.strategy.rollout, std::max(plan_.phones, plan_.ids.size()));
        budget_->add(plan_.failed, plan_.lost);
    }
    if (!plan_.batch_begun) may_go_on_locked();
    thread_ = quiet_thread([this] { run(); });
}

StagedCall::~StagedCall() { thread_.join(); }

void StagedCall::stop(Error why) {
    const std::lock_guard lock(mutex_);
    if (!stopped_) stopped_ = std::move(why);
    changed_.notify_all();
}

void StagedCall::wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return ended_; });
}

void StagedCall::on_row(Row row) {
    {
        const std::lock_guard lock(mutex_);
        row.index += first_;
        if (budget_) budget_->add(row);
        // Where one had failed before, each does no more than clean up, and may come to its end.
        if (!row.ok() && plan_.strategy.fail_fast && !plan_.fails_fast && !stopped_)
            stopped_ = failed_fast(row.instance_id);
        changed_.notify_all();
    }
    sink_.on_row(std::move(row));
}

void StagedCall::on_done() {
    const std::lock_guard lock(mutex_);
    batch_done_ = true;
    changed_.notify_all();
}

void StagedCall::run() {
    for (std::size_t i = 0; i < plan_.batches.size(); ++i) {
        if (i > 0 && !pause()) break;
        if (!run_batch(plan_.batches[i])) break;
    }
    give_up_rest();
    sink_.on_done();
    const std::lock_guard lock(mutex_);
    ended_ = true;
    changed_.notify_all();
}

bool StagedCall::run_batch(std::size_t count) {
    {
        const std::lock_guard lock(mutex_);
        if (stopped_ || over_deadline_locked()) return false;
        batch_done_ = false;
    }
    auto request = make_(first_, count);
    if (deadline_) request.deadline = std::chrono::duration_cast<Millis>(*deadline_ - Clock::now()) + Millis(1);
    const auto call = dispatch::dispatch(std::move(request), *this);
    std::optional<Error> why;
    {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return batch_done_ || stopped_; });
        why = stopped_;
    }
    if (why) call->stop(*why);
    call->wait();
    const std::lock_guard lock(mutex_);
    first_ += count;
    return may_go_on_locked();
}

// Whether what failed so far leaves room for another batch.
bool StagedCall::may_go_on_locked() {
    if (!stopped_ && first_ < plan_.ids.size()) {
        if (plan_.fails_fast) stopped_ = plan_.fails_fast;
        if (budget_ && budget_->exceeded()) stopped_ = Error(Code::run_stopped, "rollout: " + budget_->text());
    }
    return !stopped_;
}

bool StagedCall::pause() {
    std::unique_lock lock(mutex_);
    const auto& rollout = plan_.strategy.rollout;
    if (!rollout || !rollout->pause) return true;
    auto until = Clock::now() + *rollout->pause;
    if (deadline_) until = std::min(until, *deadline_);
    changed_.wait_until(lock, until, [this] { return stopped_.has_value(); });
    return !stopped_ && !over_deadline_locked();
}

bool StagedCall::over_deadline_locked() {
    if (!deadline_ || Clock::now() < *deadline_) return false;
    if (!stopped_) stopped_ = Error(Code::call_deadline, drover::to_string(*plan_.deadline));
    return true;
}

void StagedCall::give_up_rest() {
    for (; first_ < plan_.ids.size(); ++first_) {
        const auto why = [&] {
            const std::lock_guard lock(mutex_);
            return stopped_.value_or(Error(Code::internal, "a batch is missing"));
        }();
        Row row;
        row.index = first_;
        row.instance_id = plan_.ids[first_];
        row.code = why.code;
        row.error_msg = dispatch::error_text(why.code, why.message);
        sink_.on_row(std::move(row));
    }
}

}  // namespace drover::job
