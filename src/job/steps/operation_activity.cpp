#include "job/steps/operation_activity.hpp"

#include <utility>

#include "job/steps/shell_activity.hpp"

namespace drover::job {
namespace {

// The step's own limit is the one to be told.
Limits inner(Limits limits) {
    limits.total *= 2;
    return limits;
}

}  // namespace

OperationActivity::OperationActivity(fleet::Phone& phone, ActivityOwner& owner, const FileGround& ground, Limits limits,
                                     std::size_t target, PreparedOperation what)
    : owner_(owner),
      files_(std::move(what.files)),
      operation_(phone, *this, target,
                 {ground.disk, ground.turns, what.bulk ? std::optional(ground.limits) : std::nullopt}, inner(limits),
                 std::move(what.prepare)) {}

void OperationActivity::on_result(Row&& row) {
    if (!row.execute_msg.empty()) owner_.on_step_output(OutputStream::out, row.execute_msg, [] {});
    auto outcome = outcome_of(std::move(row));
    if (outcome.code == Code::ok) outcome.files = std::move(files_);
    owner_.on_outcome(std::move(outcome));
}

transfer::TransferLimits transfer_limits(const ActivityContext& context, std::optional<Millis> silence) {
    transfer::TransferLimits out;
    out.limits = inner(context.limits);
    if (!out.limits.silence) out.limits.silence = silence;
    return out;
}

}  // namespace drover::job
