#include "floor_link.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "adb/link.hpp"
#include "adb/packet.hpp"
#include "adb/shell.hpp"

namespace drover::bench {
namespace {

constexpr std::uint32_t word(adb::Command c) { return static_cast<std::uint32_t>(c); }
constexpr char kServiceText[] = "shell,v2,raw:true";
constexpr std::string_view kService{kServiceText, sizeof kServiceText};  // with its NUL, as drover sends it

}  // namespace

void FloorLink::put(std::uint32_t command, std::uint32_t arg0, std::uint32_t arg1, ByteView payload) {
    const std::uint32_t words[6] = {command, arg0, arg1, static_cast<std::uint32_t>(payload.size()), 0, ~command};
    if (out_bytes_ + sizeof words + payload.size() > out_.size()) std::abort();
    std::memcpy(out_.data() + out_bytes_, words, sizeof words);
    if (!payload.empty()) std::memcpy(out_.data() + out_bytes_ + sizeof words, payload.data(), payload.size());
    out_bytes_ = static_cast<std::uint8_t>(out_bytes_ + sizeof words + payload.size());
}

void FloorLink::put_open(const FloorPolicy& policy) {
    exited_ = closed_ = false;
    exit_code_ = 255;
    remote_ = 0;
    shell_have_ = 0;
    put(word(adb::Command::open), ++local_, policy.delayed_ack ? adb::LinkOptions{}.window_bytes : 0,
        as_bytes(kService));
}

void FloorLink::feed_shell(ByteView bytes) {
    while (!bytes.empty()) {
        if (shell_have_ < shell_header_.size()) {
            const std::size_t n = std::min(shell_header_.size() - shell_have_, bytes.size());
            std::memcpy(shell_header_.data() + shell_have_, bytes.data(), n);
            shell_have_ = static_cast<std::uint8_t>(shell_have_ + n);
            bytes = bytes.subspan(n);
            if (shell_have_ < shell_header_.size()) return;
            shell_left_ = load_le32(shell_header_.data() + 1);
        } else {
            const std::size_t n = std::min<std::size_t>(shell_left_, bytes.size());
            if (shell_header_[0] == static_cast<std::uint8_t>(adb::ShellId::exit)) {
                exit_code_ = bytes[0];
                exited_ = true;
            } else {
                captured_ += static_cast<std::uint32_t>(n);
            }
            shell_left_ -= static_cast<std::uint32_t>(n);
            bytes = bytes.subspan(n);
        }
        if (shell_left_ == 0) shell_have_ = 0;
    }
}

void FloorLink::end_packet(const FloorPolicy& policy) {
    const std::uint32_t command = load_le32(header_.data());
    if (load_le32(header_.data() + 20) != ~command) std::abort();
    if (load_le32(header_.data() + 8) != local_ || closed_) return;  // the second CLSE of an older stream
    if (command == word(adb::Command::okay)) {
        remote_ = load_le32(header_.data() + 4);
    } else if (command == word(adb::Command::wrte)) {
        const std::uint8_t* const taken = header_.data() + 12;
        put(word(adb::Command::okay), local_, remote_, policy.delayed_ack ? ByteView(taken, 4) : ByteView());
        if (!policy.exit_ends || !exited_) return;
        put(word(adb::Command::clse), local_, remote_);
        closed_ = true;
    } else if (command == word(adb::Command::clse)) {
        put(word(adb::Command::clse), local_, remote_);
        closed_ = true;
    }
}

FloorLink::Event FloorLink::feed(ByteView bytes, const FloorPolicy& policy) {
    const bool had_exited = exited_, had_closed = closed_;
    while (!bytes.empty()) {
        if (have_ < header_.size()) {
            const std::size_t n = std::min(header_.size() - have_, bytes.size());
            std::memcpy(header_.data() + have_, bytes.data(), n);
            have_ = static_cast<std::uint8_t>(have_ + n);
            bytes = bytes.subspan(n);
            if (have_ < header_.size()) break;
            payload_left_ = load_le32(header_.data() + 12);
        } else {
            const std::size_t n = std::min<std::size_t>(payload_left_, bytes.size());
            if (load_le32(header_.data()) == word(adb::Command::wrte)) feed_shell(bytes.first(n));
            payload_left_ -= static_cast<std::uint32_t>(n);
            bytes = bytes.subspan(n);
        }
        if (payload_left_ == 0) {
            end_packet(policy);
            have_ = 0;
        }
    }
    const bool exited = exited_ && !had_exited, closed = closed_ && !had_closed;
    if (exited) return closed ? Event::exited_and_closed : Event::exited;
    return closed ? Event::closed : Event::none;
}

}  // namespace drover::bench
