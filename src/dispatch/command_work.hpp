// The work of a plain `exec`: one command, one execution. Threads, ownership, failure: as Work and Execution.
#pragma once
#include "dispatch/execution.hpp"
#include "dispatch/work.hpp"

namespace drover::dispatch {

class CommandWork final : public Work, private ExecutionOwner {
public:
    CommandWork(Command command, OutputSink* output, std::size_t target)
        : command_(std::move(command)), output_(output), target_(target) {}

    void start(fleet::Phone& phone, WorkDone& done) override {
        done_ = &done;
        ExecutionOwner& owner = *this;
        execution_.emplace(phone, owner, output_, target_);
        execution_->start(std::move(command_));
    }
    void stop(const Error& why) override { execution_->stop(why); }

private:
    void on_result(Row&& row) override { done_->on_row(std::move(row)); }

    Command command_;
    OutputSink* output_;
    std::size_t target_;
    WorkDone* done_ = nullptr;
    std::optional<Execution> execution_;
};

}  // namespace drover::dispatch
