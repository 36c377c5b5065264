// One thing done on one phone: a command (Execution), a file transfer, an installation (room transfer). A plain verb is a call
// of one operation, a job's step is one too.
//
// Threads: the phone's loop. Ownership: whoever made it keeps it until on_result() or its own destruction, which ends it
// quietly; phone and owner outlive it. Failure: always a row, with the exact code and the phase it ended in.
#pragma once
#include <functional>
#include <memory>
#include <string_view>

#include "dispatch/execution.hpp"
#include "dispatch/work.hpp"

namespace drover::dispatch {

class Operation {
public:
    virtual ~Operation() = default;
    virtual void start() = 0;  // once; on_result() may come before it returns
    // Closes what is open on the phone and gives the row with `why` now, unless it was given. What is left to tidy up on this
    // host goes on behind it.
    virtual void stop(const Error& why) = 0;
    // As stop(), when a limit passed: Code::timeout, or why there is no link where there never was one.
    virtual void expire(std::string_view limit) = 0;
};

// on_result() comes exactly once and may destroy the operation. Row::ms, index and id are the dispatcher's.
using OperationOwner = ExecutionOwner;

// Called on the phone's loop, once for each time the operation is run. target: position among the call's targets.
using OperationFactory =
    std::function<std::unique_ptr<Operation>(fleet::Phone& phone, OperationOwner& owner, std::size_t target)>;

// The work of a plain verb: one operation, whose row is the phone's.
class OperationWork final : public Work, private ExecutionOwner {
public:
    OperationWork(OperationFactory make, std::size_t target) : make_(std::move(make)), target_(target) {}

    void start(fleet::Phone& phone, WorkDone& done) override {
        done_ = &done;
        OperationOwner& owner = *this;
        operation_ = make_(phone, owner, target_);
        operation_->start();
    }
    void stop(const Error& why) override { operation_->stop(why); }

private:
    void on_result(Row&& row) override { done_->on_row(std::move(row)); }

    OperationFactory make_;
    const std::size_t target_;
    WorkDone* done_ = nullptr;
    std::unique_ptr<Operation> operation_;
};

}  // namespace drover::dispatch
