// One command on one phone, from the wait for a link to the final row: deadlines, capture, drain, close.
//
// Threads: the phone's loop. Ownership: embedded in a Work, which keeps it alive until on_result() or its own destruction;
// phone, owner and output sink outlive it. Failure: a row with the exact code and the phase it ended in. on_result() comes
// exactly once, maybe from inside start() or stop(), and may destroy the execution. `ms`, index and id are the dispatcher's.
#pragma once
#include <memory>
#include <optional>
#include <string>

#include "adb/shell_call.hpp"
#include "dispatch/capture.hpp"
#include "dispatch/link_wait.hpp"
#include "drover/command.hpp"
#include "drover/fleet.hpp"
#include "fleet/phone.hpp"

namespace drover::dispatch {

class ExecutionOwner {
public:
    virtual void on_result(Row&& row) = 0;

protected:
    ~ExecutionOwner() = default;
};

// A command that is not done by then finds its stdin at its end: `cat` ends instead of waiting for its timeout, and commands
// that end at once, nearly all, do not pay for the packet.
constexpr auto kCloseInputAfter = std::chrono::milliseconds(100);

class Execution final : private LinkOwner, private adb::ShellSink {
public:
    // output may be null; `target` is what it is told.
    Execution(fleet::Phone& phone, ExecutionOwner& owner, OutputSink* output, std::size_t target);
    ~Execution();
    Execution(const Execution&) = delete;
    Execution& operator=(const Execution&) = delete;

    void start(Command command);
    // Closes the command on the phone and gives the row now. Without effect once the row was given.
    void stop(const Error& why);
    // As stop(), when a limit passed: Code::timeout, or why there is no link where there never was one.
    void expire(std::string_view limit);

private:
    void on_link(adb::Carrier& carrier) override;
    void on_no_link(const Error& why, Phase phase) override;
    void on_shell_open() override;
    adb::Ack on_shell_output(OutputStream stream, ByteView bytes) override;
    void on_shell_end(const Result<int>& exit) override;

    void on_phase_deadline();
    void on_total_deadline();
    void on_close_input();
    void on_resume();
    void show_streaming(bool now);
    void arm_phase(const std::optional<Limits::Millis>& limit);
    void finish(Code code, std::string_view detail, std::optional<int> exit_code = {});
    OutputSink::Flow tell_sink(OutputStream stream, ByteView bytes);

    fleet::Phone& phone_;
    ExecutionOwner& owner_;
    OutputSink* const output_;
    const std::size_t target_;
    Command command_;
    Phase phase_ = Phase::queue;
    bool done_ = false;
    bool streaming_ = false;  // the phone's status says so
    std::uint32_t attempts_ = 0;
    std::uint32_t held_ = 0;  // pieces of output that the sink has not taken yet
    LinkWait link_;
    std::optional<Capture> capture_;
    adb::ShellCall shell_{*this};
    std::shared_ptr<Execution*>
        handle_;  // what a resume() from another thread finds; empty until an output sink is used
    Timer phase_deadline_ = Timer::calls<&Execution::on_phase_deadline>(*this);
    Timer close_input_ = Timer::calls<&Execution::on_close_input>(*this);
    Timer total_deadline_ = Timer::calls<&Execution::on_total_deadline>(*this);
};

// The documented sentence of the code, and what is special this time: "Run command failed: exit code 3".
std::string error_text(Code code, std::string_view detail);
// "exit code 3", "exit code 137, as if killed by signal 9"
std::string exit_text(int exit_code);

}  // namespace drover::dispatch
