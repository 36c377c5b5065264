// An operation of room transfer as one attempt of a step. Threads, ownership, failure: as Activity.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "base/duration.hpp"
#include "job/action.hpp"
#include "job/file_ground.hpp"
#include "transfer/queued_operation.hpp"
#include "transfer/stream_operation.hpp"

namespace drover::job {

// Made for one phone by an action.
struct PreparedOperation {
    transfer::QueuedOperation::Prepare prepare;
    bool bulk = false;               // takes a turn
    std::vector<std::string> files;  // of the outcome, when all went well
};

class OperationActivity final : public Activity, private dispatch::ExecutionOwner {
public:
    OperationActivity(const ActivityContext& context, PreparedOperation what)
        : OperationActivity(context.phone, context.owner, *context.files, context.limits, context.target,
                            std::move(what)) {}
    OperationActivity(fleet::Phone& phone, ActivityOwner& owner, const FileGround& ground, Limits limits,
                      std::size_t target, PreparedOperation what);

    void start() override { operation_.start(); }
    void stop(const Error& why) override { operation_.stop(why); }
    void expire(std::string_view limit) override { operation_.expire(limit); }

private:
    void on_result(Row&& row) override;

    ActivityOwner& owner_;
    std::vector<std::string> files_;
    transfer::QueuedOperation operation_;
};

// How long silence may last where nobody said, while bytes are expected.
constexpr Millis kTransferSilence{30'000};
// The limits of the operation inside a step, whose timeout is the step's own affair.
transfer::TransferLimits transfer_limits(const ActivityContext& context, std::optional<Millis> silence);

}  // namespace drover::job
