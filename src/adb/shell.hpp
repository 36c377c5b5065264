// The two shell services of a phone, as bytes (reference: AOSP shell_protocol.h).
//
// shell,v2 frames its output: id u8, length u32 little-endian, data. The old shell: service sends bare text and no exit
// code; there a marker that nobody can guess is printed after the command. Sans-IO, one thread at a time, no locks.
// Ownership: sinks outlive the call. Failure: ShellV2Parser::feed() returns the error; MarkerTail has none.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "adb/packet.hpp"
#include "base/bytes.hpp"
#include "drover/error.hpp"
#include "drover/row.hpp"

namespace drover::adb {

constexpr std::size_t kShellHeaderBytes = 5;
constexpr std::uint32_t kShellPacketBytesMax = kMaxPayloadBytes;  // AOSP fills one buffer of this size
// Packets a host has no use for (unknown ids, empty ones) are skipped, up to this many bytes a command.
constexpr std::size_t kShellIgnoredBytesMax = 1024 * 1024;

enum class ShellId : std::uint8_t { in = 0, out = 1, err = 2, exit = 3, close_in = 4, window_size = 5 };

class ShellOutputSink {
public:
    // Never empty; valid during the call only.
    virtual void on_shell_bytes(OutputStream stream, ByteView bytes) = 0;

protected:
    ~ShellOutputSink() = default;
};

// Takes any split of the stream and keeps at most one header; output passes through in pieces, without a copy.
class ShellV2Parser {
public:
    // The exit code once its packet is complete; what follows it is ignored, as AOSP does.
    const std::optional<std::uint8_t>& exit_code() const { return exit_; }
    // An error is final: a length over the limit, an exit packet without a code, or too many useless packets.
    Result<void> feed(ByteView bytes, ShellOutputSink& sink);

private:
    Result<void> begin();

    std::uint8_t raw_[kShellHeaderBytes] = {};
    std::uint8_t have_ = 0;   // header bytes so far
    std::uint32_t left_ = 0;  // data bytes still to come
    std::optional<std::uint8_t> exit_;
    std::size_t ignored_bytes_ = 0;
};

// What the old service is given, and how its exit code is found.
struct MarkedCommand {
    std::string line;  // what follows "shell:"
    std::string
        marker;  // printed just before the exit code; `line` does not contain it in one piece, so that a listing of
                 // processes in the output is not taken for it
};
constexpr std::size_t kMarkerChars = 32;  // 16 random bytes, hex
// `marker`: kMarkerChars characters.
MarkedCommand mark_command(std::string_view command, std::string_view marker);
// From OpenSSL's generator, which is seeded once. Empty when the host has no randomness to give.
std::string random_marker();

// Passes output on as it comes and holds back only what may be the marker, and what came after it: a job left in the
// background may still write then. The marker counts only within the last kTailBytes of all output, so that memory stays
// bounded; further up it is output like any other.
class MarkerTail {
public:
    static constexpr std::size_t kTailBytes = 1024;

    explicit MarkerTail(std::string marker) : marker_(std::move(marker)) {}
    void feed(ByteView bytes, ShellOutputSink& sink);
    // The output is complete: passes on what was held but for the marker line. nullopt: there was no marker.
    std::optional<int> finish(ShellOutputSink& sink);

private:
    void release(std::size_t bytes, ShellOutputSink& sink);
    std::size_t keep_from() const;

    std::string marker_;
    std::string held_;
};

}  // namespace drover::adb
