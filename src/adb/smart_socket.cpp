#include "adb/smart_socket.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/assert.hpp"
#include "base/utf8.hpp"

namespace drover::adb {
namespace {

constexpr std::size_t kStatusBytes = 4, kLengthDigits = 4;
constexpr std::size_t kLengthAt = kStatusBytes, kTextAt = kStatusBytes + kLengthDigits;
constexpr std::size_t kAmbiguousBytes = 0x1000;  // from here on a length may be the first four of five digits
constexpr std::size_t kReasonShownBytes = 200;

// The first `digits` characters as a hexadecimal number; adb prints lower case and reads both.
std::optional<std::size_t> hex(std::string_view text, std::size_t digits) {
    if (text.size() < digits) return std::nullopt;
    std::size_t value = 0;
    const char* const end = text.data() + digits;
    const auto [stop, error] = std::from_chars(text.data(), end, value, 16);
    if (error != std::errc() || stop != end) return std::nullopt;
    return value;
}

// Text of a peer, for one line of a message.
std::string shown(std::string_view text) {
    std::string line = sanitize_utf8(text.substr(0, kReasonShownBytes));
    for (char& c : line) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
    }
    while (line.ends_with(' ')) line.pop_back();
    return line;
}

}  // namespace

Result<std::string> encode_request(std::string_view text) {
    if (text.empty() || text.size() > kRequestBytesMax) {
        return fail(Code::command_too_long,
                    fmt::format("a request of {} bytes; an adb server takes 1 to {}", text.size(), kRequestBytesMax));
    }
    return fmt::format("{:04x}{}", text.size(), text);
}

std::string encode_known_request(std::string_view text) {
    auto request = encode_request(text);
    DROVER_ASSERT(request);
    return std::move(*request);
}

Result<std::size_t> ReplyParser::feed(ByteView bytes) {
    std::size_t taken = 0;
    while (!done_ && taken < bytes.size()) {
        std::size_t want = 0;  // bytes of the answer known to be there
        const bool okay = held_.starts_with("OKAY");
        const auto length = hex(std::string_view(held_).substr(std::min(kLengthAt, held_.size())), kLengthDigits);
        if (held_.size() < kStatusBytes) {
            want = kStatusBytes;
        } else if (held_.size() < kTextAt) {
            want = kTextAt;
        } else if (okay && *length >= kAmbiguousBytes) {
            want = kTextAt + 1 + kReplyBodyBytesMax + 1;  // all there is: finish() decides
        } else {
            want = kTextAt + *length;
        }
        const std::size_t n = std::min(want - held_.size(), bytes.size() - taken);
        held_ += as_text(bytes.subspan(taken, n));
        taken += n;
        if (auto r = step(); !r) return tl::unexpected(r.error());
    }
    return taken;
}

// Looks at what is held; decides status and short texts as soon as they are complete.
Result<void> ReplyParser::step() {
    const std::string_view held = held_;
    if (held.size() < kStatusBytes) return {};
    const bool okay = held.starts_with("OKAY");
    if (!okay && !held.starts_with("FAIL")) {
        return fail(Code::server_failed,
                    fmt::format("not an adb server: it answered '{}'", shown(held.substr(0, kStatusBytes))));
    }
    reply_.okay = okay;
    if (okay && shape_ == Shape::status) {
        done_ = true;
        return {};
    }
    if (held.size() < kTextAt) return {};
    const auto length = hex(held.substr(kLengthAt), kLengthDigits);
    if (!length) {
        return fail(Code::server_failed,
                    fmt::format("the adb server sent the length '{}'", shown(held.substr(kLengthAt, kLengthDigits))));
    }
    if (okay && *length >= kAmbiguousBytes) {
        if (held.size() > kTextAt + 1 + kReplyBodyBytesMax) {
            return fail(Code::server_failed,
                        fmt::format("the adb server's answer is longer than {} bytes", kReplyBodyBytesMax));
        }
        return {};
    }
    if (held.size() == kTextAt + *length) {
        reply_.text = held.substr(kTextAt);
        done_ = true;
    }
    return {};
}

Result<void> ReplyParser::finish() {
    if (done_) return {};
    const std::string_view held = held_;
    if (held.size() >= kTextAt && reply_.okay) {
        const std::size_t length = *hex(held.substr(kLengthAt), kLengthDigits);
        const auto five = hex(held.substr(kLengthAt), kLengthDigits + 1);
        // Both readings cannot fit: the longer is at least 16 times the shorter.
        if (held.size() - kTextAt == length) {
            reply_.text = held.substr(kTextAt);
            done_ = true;
        } else if (five && held.size() - kTextAt - 1 == *five) {
            reply_.text = held.substr(kTextAt + 1);
            done_ = true;
        }
    } else if (held.starts_with("FAIL")) {
        reply_.text = held.substr(std::min(kTextAt, held.size()));
        done_ = true;
    }
    if (done_) return {};
    return fail(Code::server_unreachable,
                held.empty() ? std::string("the adb server closed the connection without an answer")
                             : fmt::format("the adb server's answer ended after {} bytes", held.size()));
}

Error error_of_fail(std::string_view reason, bool online) {
    const std::string text = shown(reason);
    const auto says = [&](std::string_view part) { return text.find(part) != std::string::npos; };
    const auto error = [&](Code code) { return Error(code, fmt::format("the adb server says: {}", text)); };
    if (text == "closed") return {Code::refused, "the phone refused to open the service"};
    if (says("unauthorized")) return error(Code::unauthorized);
    if (says("insufficient permissions") || says("no permissions")) return error(Code::no_permission);
    if (says("still authorizing") || says("still connecting")) return error(Code::not_ready);
    if (says("offline")) return error(online ? Code::link_lost : Code::not_ready);
    if (says("not found") || says("no device") || says("no devices") || says("disconnected")) {
        return error(online ? Code::link_lost : Code::phone_not_found);
    }
    return error(Code::server_failed);
}

}  // namespace drover::adb
