// Output of a command on its way into a stream: framing, CRLF, bounded waiting, the exit code and the end.
// One thread: the phone's loop. Belongs to one service; the port is the service's own.
#pragma once
#include <cstdint>
#include <vector>

#include "sim/service.hpp"

namespace drover::sim {

// Shell v2 packet ids (AOSP shell_protocol.h).
enum class ShellId : std::uint8_t { in = 0, out = 1, err = 2, exit = 3, close_in = 4, window_size = 5 };

class ShellOutput {
public:
    static constexpr std::size_t kPendingBytesMax = 64 * 1024;  // what waits for the client; then the command must wait
    static constexpr std::size_t kShellHeaderBytes = 5;

    struct Options {
        bool v2 = true;
        bool crlf = false;             // v1 only
        bool separate_writes = false;  // the close leaves in a write of its own
    };
    ShellOutput(Port& port, Options options, const CommandFaults& faults)
        : port_(&port), options_(options), faults_(faults) {}

    // How many bytes of output may be added now.
    std::size_t room() const;
    void add(ShellId id, ByteView bytes);
    // Nothing follows; the stream closes when everything is out.
    void finish(std::uint8_t exit_code);
    bool finished() const { return finished_; }
    // Sends what can be sent. True while the stream is open.
    bool pump();

private:
    void add_packet(ShellId id, ByteView bytes);
    void refill_extra();

    Port* port_;  // null once closed
    Options options_;
    CommandFaults faults_;
    std::vector<std::uint8_t> pending_;
    std::uint64_t extra_sent_ = 0;
    std::uint8_t exit_code_ = 0;
    bool finished_ = false;
    bool exit_added_ = false;
};

// The text of sim-output and of the huge-output fault: lines of 64 bytes, each beginning with its own number, the same
// everywhere. Fills `bytes` with what stands at `offset`.
void fill_pattern(std::uint64_t offset, std::span<std::uint8_t> bytes);

}  // namespace drover::sim
