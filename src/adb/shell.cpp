#include "adb/shell.hpp"

#include <fmt/format.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/assert.hpp"
#include "base/shell_quote.hpp"

namespace drover::adb {

Result<void> ShellV2Parser::begin() {
    left_ = load_le32(raw_ + 1);
    const auto id = static_cast<ShellId>(raw_[0]);
    if (left_ > kShellPacketBytesMax) {
        return fail(Code::protocol_error, fmt::format("a shell packet with id {} announces {} bytes, the limit is {}",
                                                      raw_[0], left_, kShellPacketBytesMax));
    }
    if (id == ShellId::exit && left_ == 0)
        return fail(Code::protocol_error, "a shell exit packet without an exit code");
    const bool output = id == ShellId::out || id == ShellId::err;
    if (id == ShellId::exit || (output && left_ > 0)) return {};
    // Nothing a host can use. The header counts too: empty packets must not go on for ever.
    ignored_bytes_ += kShellHeaderBytes + left_;
    if (ignored_bytes_ > kShellIgnoredBytesMax) {
        return fail(Code::protocol_error,
                    fmt::format("more than {} bytes of shell packets without a meaning (the last id is {})",
                                kShellIgnoredBytesMax, raw_[0]));
    }
    return {};
}

Result<void> ShellV2Parser::feed(ByteView bytes, ShellOutputSink& sink) {
    while (!bytes.empty() && !exit_) {
        if (have_ < kShellHeaderBytes) {
            const std::size_t n = std::min(kShellHeaderBytes - have_, bytes.size());
            std::copy_n(bytes.begin(), n, raw_ + have_);
            have_ = static_cast<std::uint8_t>(have_ + n);
            bytes = bytes.subspan(n);
            if (have_ < kShellHeaderBytes) return {};
            if (auto r = begin(); !r) return r;
        } else {
            const ByteView piece = bytes.first(std::min<std::size_t>(left_, bytes.size()));
            left_ -= static_cast<std::uint32_t>(piece.size());
            bytes = bytes.subspan(piece.size());
            const auto id = static_cast<ShellId>(raw_[0]);
            if (id == ShellId::exit) exit_ = piece.front();
            if (id == ShellId::out) sink.on_shell_bytes(OutputStream::out, piece);
            if (id == ShellId::err) sink.on_shell_bytes(OutputStream::err, piece);
        }
        if (left_ == 0) have_ = 0;
    }
    return {};
}

MarkedCommand mark_command(std::string_view command, std::string_view marker) {
    DROVER_ASSERT(marker.size() == kMarkerChars);
    // A shell of its own, with the command as one quoted word: nothing in the command (exit, a comment, a trailing &, an
    // open quote, a function called echo) can reach the echo behind it.
    MarkedCommand result;
    result.marker = marker;
    result.line = "sh -c " + shell_quote(command);
    result.line += " </dev/null; echo ";
    result.line += marker.substr(0, kMarkerChars / 2);
    result.line += "\"\"";
    result.line += marker.substr(kMarkerChars / 2);
    result.line += "$?";
    return result;
}

std::string random_marker() {
    std::array<std::uint8_t, kMarkerChars / 2> raw;
    if (RAND_bytes(raw.data(), static_cast<int>(raw.size())) != 1) return {};
    std::string hex;
    hex.reserve(kMarkerChars);
    for (const auto byte : raw) {
        constexpr std::string_view kDigits = "0123456789abcdef";
        hex += kDigits[byte >> 4];
        hex += kDigits[byte & 15];
    }
    return hex;
}

// Where the part of held_ begins that may be, or follow, the marker.
std::size_t MarkerTail::keep_from() const {
    if (const auto at = held_.rfind(marker_); at != std::string::npos) return at;
    const std::string_view held = held_;
    for (std::size_t n = std::min(held.size(), marker_.size() - 1); n > 0; --n) {
        if (held.substr(held.size() - n) == std::string_view(marker_).substr(0, n)) return held.size() - n;
    }
    return held.size();
}

void MarkerTail::release(std::size_t bytes, ShellOutputSink& sink) {
    if (bytes == 0) return;
    sink.on_shell_bytes(OutputStream::out, as_bytes(held_).first(bytes));
    held_.erase(0, bytes);
}

void MarkerTail::feed(ByteView bytes, ShellOutputSink& sink) {
    if (bytes.size() > kTailBytes) {
        release(held_.size(), sink);
        const std::size_t early = bytes.size() - kTailBytes;
        sink.on_shell_bytes(OutputStream::out, bytes.first(early));
        bytes = bytes.subspan(early);
    } else if (held_.size() + bytes.size() > kTailBytes) {
        release(held_.size() + bytes.size() - kTailBytes, sink);
    }
    held_ += as_text(bytes);
    release(keep_from(), sink);
}

std::optional<int> MarkerTail::finish(ShellOutputSink& sink) {
    std::optional<int> code;
    if (held_.starts_with(marker_)) {
        // marker, 1..3 digits, line end: a pty makes \r\n of \n, some make \r\r\n.
        const char* const end = held_.data() + held_.size();
        int value = -1;
        const auto [digits_end, error] = std::from_chars(held_.data() + marker_.size(), end, value);
        const char* line_end = std::find_if(digits_end, end, [](char c) { return c != '\r'; });
        if (error == std::errc() && value >= 0 && value <= 255 && line_end != end && *line_end == '\n') {
            code = value;
            held_.erase(0, static_cast<std::size_t>(line_end + 1 - held_.data()));
        }
    }
    release(held_.size(), sink);
    return code;
}

}  // namespace drover::adb
