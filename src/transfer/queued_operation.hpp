// An operation that waits for its turn where it moves much, and is made ready on the work pool. The wait counts in no silence limit;
// the total one, expire() and stop() end it.
//
// Threads, ownership: as Operation; pool and turns outlive it. Failure: as that of the operation inside; Phase::queue before it.
// The phone's link comes first, so that an absent phone takes nobody's turn, and its hub is known.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/work_pool.hpp"
#include "dispatch/link_wait.hpp"
#include "dispatch/operation.hpp"
#include "dispatch/turns.hpp"

namespace drover::transfer {

struct Queue {
    WorkPool& disk;
    dispatch::Turns& turns;
    std::optional<TransferTurns> limits;  // none: it takes no turn
};

class QueuedOperation final : public dispatch::Operation,
                              private dispatch::LinkOwner,
                              private dispatch::ExecutionOwner {
public:
    // On the work pool, once; may block. An error is the row's.
    using Prepare = std::function<Result<dispatch::OperationFactory>()>;

    // limits: total, connect, auth.
    QueuedOperation(fleet::Phone& phone, dispatch::OperationOwner& owner, std::size_t target, const Queue& queue,
                    Limits limits, Prepare prepare);
    ~QueuedOperation() override { *handle_ = nullptr; }
    QueuedOperation(const QueuedOperation&) = delete;
    QueuedOperation& operator=(const QueuedOperation&) = delete;

    void start() override;
    void stop(const Error& why) override;
    void expire(std::string_view limit) override;

private:
    enum class Stage : std::uint8_t { link, turn, preparing, running, done };

    void on_link(adb::Carrier& carrier) override;
    void on_no_link(const Error& why, Phase phase) override { fail_with(why, phase); }
    void on_turn();
    void prepare();
    void on_prepared(Result<dispatch::OperationFactory>&& made);
    void on_result(Row&& row) override { finish(std::move(row)); }
    void on_total_deadline();
    void fail_with(const Error& why, Phase phase);
    void finish(Row&& row);

    fleet::Phone& phone_;
    dispatch::OperationOwner& owner_;
    const std::size_t target_;
    const Queue queue_;
    const Limits limits_;
    Prepare prepare_;
    Stage stage_ = Stage::link;
    dispatch::LinkWait link_;
    std::unique_ptr<dispatch::Turns::Turn> turn_;
    std::unique_ptr<dispatch::Operation> operation_;
    const std::shared_ptr<QueuedOperation*> handle_;  // what the pool and whoever gives a turn back find
    Timer total_deadline_ = Timer::calls<&QueuedOperation::on_total_deadline>(*this);
};

// The operations of `make`, each in its turn.
dispatch::OperationFactory make_queued(const Queue& queue, Limits limits, dispatch::OperationFactory make);

}  // namespace drover::transfer
