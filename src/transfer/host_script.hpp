// A shell script of this host on a phone: pushed under a name of its own, run, and removed, however it ended.
//
// Threads, ownership, failure: as Operation. The row is that of the script's run, or of the push where that failed.
#pragma once
#include <optional>

#include "transfer/operations.hpp"

namespace drover::transfer {

class HostScriptOperation final : public dispatch::Operation, private dispatch::ExecutionOwner {
public:
    static constexpr auto kRemovalMax = std::chrono::seconds(10);
    static constexpr auto kHurriedRemovalMax = std::chrono::milliseconds(1'500);  // inside the drain of a stop

    // words: the script's arguments, as the phone's shell reads them.
    HostScriptOperation(fleet::Phone& phone, dispatch::OperationOwner& owner, WorkPool& pool,
                        std::shared_ptr<const PushPlan> script, std::string words, Limits limits, OutputSink* output,
                        std::size_t target);

    void start() override;
    void stop(const Error& why) override;
    void expire(std::string_view limit) override;

private:
    enum class Stage : std::uint8_t { push, run, removal, done };

    void on_result(Row&& row) override;
    void run();
    void remove();
    void finish();
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
    bool hurried_ = false;  // somebody waits for the end
    std::unique_ptr<StreamOperation> push_;
    std::optional<dispatch::Execution> run_;
    std::optional<dispatch::Execution> removal_;
    Row row_;
    Timer total_deadline_ = Timer::calls<&HostScriptOperation::on_total_deadline>(*this);
};

dispatch::OperationFactory make_host_script(WorkPool& pool, std::shared_ptr<const PushPlan> script, std::string words,
                                            Limits limits, OutputSink* output);

}  // namespace drover::transfer
