// One command on one phone, over whichever shell service the phone has: shell,v2 with stdout, stderr and exit code apart,
// or the old shell: service with everything as stdout and the exit code found by a marker.
//
// Threads: the carrier's loop. Ownership: the call's owner keeps carrier, sink and call alive until on_shell_end() or
// stop(); the destructor stops. Failure: start() for what can be seen at once, else on_shell_end().
#pragma once
#include <optional>
#include <string_view>

#include "adb/shell.hpp"
#include "adb/stream.hpp"

namespace drover::adb {

class ShellSink {
public:
    virtual void on_shell_open() = 0;  // the phone runs the command
    // A piece, never empty; valid during the call only. Not the marker. `later`: after the pieces at hand nothing more
    // comes until acknowledge(). It may stop() the call, not destroy it.
    virtual Ack on_shell_output(OutputStream stream, ByteView bytes) = 0;
    // The last call; it may destroy the ShellCall. The exit code (128 + n: killed by signal n), or why there is none:
    // refused, exit_code_unknown, protocol_error, or what ended the link.
    virtual void on_shell_end(const Result<int>& exit) = 0;

protected:
    ~ShellSink() = default;
};

class ShellCall final : private StreamHandler, private ShellOutputSink {
public:
    explicit ShellCall(ShellSink& sink) : sink_(sink) {}
    ~ShellCall() { stop(); }
    ShellCall(const ShellCall&) = delete;
    ShellCall& operator=(const ShellCall&) = delete;

    // Opens the command; once per ShellCall. No callback comes before it returns. An error (nothing was sent, no callback
    // follows): the command is longer than the phone accepts, is empty, or holds a NUL; or the carrier's own refusal.
    Result<void> start(Carrier& carrier, std::string_view command);
    // Ends it: the phone hangs the command up. No callback follows.
    void stop();
    void acknowledge();
    // The command finds its stdin at its end. Costs a packet each way, so only a command that takes long is told. The old
    // service has no way to say so; its commands read /dev/null from the start.
    void close_input();
    bool running() const { return carrier_ != nullptr; }

private:
    void on_open() override;
    Ack on_data(ByteView bytes) override;
    void on_closed(const std::optional<Error>& why) override;
    void on_shell_bytes(OutputStream stream, ByteView bytes) override;
    void end(const Result<int>& exit);

    ShellSink& sink_;
    Carrier* carrier_ = nullptr;  // none: not started, or ended
    StreamId id_ = 0;
    Ack ack_ = Ack::now;
    ShellV2Parser v2_;
    std::optional<MarkerTail> v1_;
};

// The longest command `peer` takes, bytes; for the old service a quote in the command counts four times.
std::size_t command_bytes_max(const Peer& peer);

}  // namespace drover::adb
