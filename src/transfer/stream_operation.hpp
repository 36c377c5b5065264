// An operation that moves bytes between streams of a phone and tasks on the work pool.
//
// Threads: the phone's loop; tasks run on the pool, one call at a time. Ownership: as Operation; phone, pool and owner outlive
// it. Failure: a row; on failure the task's discard() has run when the row comes, on stop() and expire() it follows.
// Memory: twice kInBytesMax, each plus a packet: received and not yet given to the task, and given to it; kOutBytes made and
// not yet written; kUnackedBytesMax written and not yet taken by the phone.
#pragma once
#include <functional>
#include <memory>

#include "base/work_pool.hpp"
#include "dispatch/link_wait.hpp"
#include "dispatch/operation.hpp"
#include "transfer/script.hpp"

namespace drover::transfer {

struct TransferLimits {
    Limits limits;                         // total, connect, auth, open; silence: no byte either way
    std::optional<Limits::Millis> enough;  // after that long the task is told to be done (a log of some minutes)
    std::function<void()> flowing = {};    // told on the loop when the first bytes have come
};

class StreamOperation final : public dispatch::Operation,
                              private dispatch::LinkOwner,
                              private adb::StreamHandler,
                              private dispatch::ExecutionOwner {
public:
    static constexpr std::size_t kInBytesMax = 256 * 1024;
    static constexpr std::size_t kOutBytes = 256 * 1024;
    static constexpr std::size_t kUnackedBytesMax = 768 * 1024;
    static constexpr auto kCleanUpMax = std::chrono::seconds(10);
    static constexpr auto kHurriedCleanUpMax = std::chrono::milliseconds(1'500);  // inside the drain of a stop

    StreamOperation(fleet::Phone& phone, dispatch::OperationOwner& owner, WorkPool& pool,
                    std::unique_ptr<Script> script, TransferLimits limits);
    ~StreamOperation() override;
    StreamOperation(const StreamOperation&) = delete;
    StreamOperation& operator=(const StreamOperation&) = delete;

    void start() override;
    void stop(const Error& why) override;
    void expire(std::string_view limit) override;

private:
    struct Shared;

    void on_link(adb::Carrier& carrier) override;
    void on_no_link(const Error& why, Phase phase) override;
    void on_open() override;
    adb::Ack on_data(ByteView bytes) override;
    void on_writable() override;
    void on_closed(const std::optional<Error>& why) override;

    void on_result(Row&& row) override;  // of the clean-up

    struct Job;
    void work();  // gives the task what came, asks it for more; one job at a time
    void on_worked(Job& job);
    void write_out();
    void note_progress();
    void end_leg();
    void on_leg_finished(const Result<std::string>& text);
    void drop_task(bool then_end);
    void on_phase_deadline();
    void on_total_deadline();
    void fail_with(const Error& why);
    void stop_with(Code code, std::string_view detail);
    void end();
    void give_row();
    void close_stream();
    void show_end();

    fleet::Phone& phone_;
    dispatch::OperationOwner& owner_;
    std::unique_ptr<Script> script_;
    const TransferLimits limits_;
    dispatch::LinkWait link_;
    std::shared_ptr<Shared> shared_;
    std::shared_ptr<StreamTask> task_;  // the leg's; the jobs on the pool work with it
    adb::Carrier* carrier_ = nullptr;
    adb::StreamId id_ = 0;  // 0: no stream
    Phase phase_ = Phase::queue;
    Bytes in_;
    Bytes spare_;  // memory of what the last job was given, for the next: fresh pages cost a pull a sixth of its speed
    Bytes out_;
    std::size_t out_room_ = kOutBytes;
    std::size_t unacked_max_ = kUnackedBytesMax;
    bool open_ = false;
    bool held_ = false;           // the phone waits for us
    bool working_ = false;        // a job is under way
    bool sated_ = false;          // the task had nothing to send, and nothing was fed since
    bool closed_ = false;         // the phone closed; what came before is still given to the task
    bool ending_ = false;         // no more work for this leg's task
    bool stopped_ = false;        // the row is decided
    bool flowing_ = false;        // bytes have come
    bool hurried_ = false;        // somebody waits for the end
    std::optional<Shown> shown_;  // while the phone shows it
    std::uint32_t attempts_ = 0;
    Error result_{Code::ok, ""};
    std::string text_;
    std::optional<dispatch::Execution> clean_up_;
    Timer phase_deadline_ = Timer::calls<&StreamOperation::on_phase_deadline>(*this);
    Timer total_deadline_ = Timer::calls<&StreamOperation::on_total_deadline>(*this);
    Timer enough_ = Timer::calls<&StreamOperation::end_leg>(*this);
};

}  // namespace drover::transfer
