// A shell script of this host on a phone: pushed under a name of its own, run, and removed, however it ended. The limit covers push
// and run; the removal goes on behind the row, or comes before it: see Removals. A row of what was stopped waits for nothing.
//
// Threads, ownership, failure: as Operation. The row is that of the script's run, or of the push where that failed.
#pragma once
#include <optional>

#include "transfer/operations.hpp"
#include "transfer/removals.hpp"

namespace drover::transfer {

class HostScriptOperation final : public dispatch::Operation, private dispatch::ExecutionOwner {
public:
    // words: the script's arguments, as the phone's shell reads them.
    HostScriptOperation(fleet::Phone& phone, dispatch::OperationOwner& owner, WorkPool& pool,
                        std::shared_ptr<const PushPlan> script, std::string words, Limits limits, OutputSink* output,
                        std::size_t target, std::shared_ptr<Removals> removals);

    ~HostScriptOperation() override { *handle_ = nullptr; }
    void start() override;
    void stop(const Error& why) override;
    void expire(std::string_view limit) override;

private:
    enum class Stage : std::uint8_t { push, run, removal, done };

    void on_result(Row&& row) override;
    void run();
    void finish(Row&& row);
    void give_row();
    void on_total_deadline();
    template <class F>
    void with_current(F&& f);

    fleet::Phone& phone_;
    dispatch::OperationOwner& owner_;
    const std::string words_;
    const Limits limits_;
    OutputSink* const output_;
    const std::size_t target_;
    std::string remote_;
    Stage stage_ = Stage::push;
    bool stopped_ = false;  // nothing new is begun but the removal
    const std::shared_ptr<Removals> removals_;
    std::unique_ptr<StreamOperation> push_;
    std::optional<dispatch::Execution> run_;
    Row row_;  // while the script is removed
    const std::shared_ptr<HostScriptOperation*> handle_ = std::make_shared<HostScriptOperation*>(this);
    Timer total_deadline_ = Timer::calls<&HostScriptOperation::on_total_deadline>(*this);
};

dispatch::OperationFactory make_host_script(WorkPool& pool, std::shared_ptr<const PushPlan> script, std::string words,
                                            Limits limits, OutputSink* output, std::shared_ptr<Removals> removals);

// The call, whose end waits for the removals too: phones and loops may go then.
std::unique_ptr<Call> with_removals(std::unique_ptr<Call> call, std::shared_ptr<Removals> removals);

}  // namespace drover::transfer
