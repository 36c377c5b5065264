// One phone as the floor sees it: a socket, a resumable parser without an input buffer, and the few bytes to be sent next.
// The least that speaks ADB: no deadlines, no capture, no windows, no checks beyond the magic.
//
// One thread. The floor owns its links. Failure: what a healthy phone never sends ends the program.
#pragma once
#include <array>
#include <cstdint>

#include "base/bytes.hpp"

namespace drover::bench {

struct FloorPolicy {
    bool delayed_ack = false;
    bool exit_ends = false;  // OKAY and CLSE at the exit code; else CLSE answers the phone's own
};

class FloorLink {
public:
    // What the last bytes brought.
    enum class Event : std::uint8_t { none, exited, closed, exited_and_closed };

    int fd = -1;

    void put_open(const FloorPolicy& policy);
    // Only one command is in flight, so at most one event comes of one read.
    Event feed(ByteView bytes, const FloorPolicy& policy);
    bool failed() const { return exit_code_ != 0; }

    ByteView output() const { return {out_.data(), out_bytes_}; }
    void output_sent() { out_bytes_ = 0; }

private:
    void put(std::uint32_t command, std::uint32_t arg0, std::uint32_t arg1, ByteView payload = {});
    void feed_shell(ByteView bytes);
    void end_packet(const FloorPolicy& policy);

    std::uint32_t local_ = 0;
    std::uint32_t remote_ = 0;
    std::uint32_t payload_left_ = 0;
    std::uint32_t shell_left_ = 0;
    std::uint32_t captured_ = 0;
    std::uint8_t have_ = 0;  // header bytes so far
    std::uint8_t shell_have_ = 0;
    std::uint8_t out_bytes_ = 0;
    std::uint8_t exit_code_ = 255;
    bool exited_ = false;
    bool closed_ = true;
    std::array<std::uint8_t, 5> shell_header_{};
    std::array<std::uint8_t, 24> header_{};
    std::array<std::uint8_t, 128> out_{};
};

}  // namespace drover::bench
