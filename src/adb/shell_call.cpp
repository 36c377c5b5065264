#include "adb/shell_call.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "base/assert.hpp"

namespace drover::adb {
namespace {

constexpr std::string_view kV2 = "shell,v2,raw:";
constexpr std::string_view kV1 = "shell:";

bool has_v2(const Peer& peer) { return peer.features.shell_v2(); }

std::size_t overhead(const Peer& peer) {
    if (has_v2(peer)) return kV2.size() + 1;  // and the NUL that ends a service name on the wire
    static const std::size_t wrapper = mark_command("", std::string(kMarkerChars, '0')).line.size();
    return kV1.size() + wrapper + 1;
}

Error too_long(std::string_view command, const Peer& peer) {
    const std::size_t max = command_bytes_max(peer);
    if (command.size() > max) {
        return {Code::command_too_long,
                fmt::format("the command has {} bytes, this phone takes at most {}", command.size(), max)};
    }
    return {Code::command_too_long,
            fmt::format("the command has {} bytes with {} quotes, which count four times; this phone takes at most {}",
                        command.size(), std::count(command.begin(), command.end(), '\''), max)};
}

}  // namespace

std::size_t command_bytes_max(const Peer& peer) {
    return peer.max_payload - std::min<std::size_t>(peer.max_payload, overhead(peer));
}

Result<void> ShellCall::start(Carrier& carrier, std::string_view command) {
    DROVER_ASSERT(!carrier_ && id_ == 0);
    if (command.empty()) return fail(Code::usage, "the command is empty");
    if (command.find('\0') != std::string_view::npos)
        return fail(Code::usage, "the command holds a NUL byte, where a phone would cut it off");
    const Peer& peer = carrier.peer();
    thread_local std::string service;  // keeps its memory from command to command
    if (has_v2(peer)) {
        service.assign(kV2).append(command);
    } else {
        const std::string marker = random_marker();
        if (marker.empty()) return fail(Code::out_of_resources, "the host has no random numbers to give");
        auto marked = mark_command(command, marker);
        service.assign(kV1).append(marked.line);
        v1_.emplace(std::move(marked.marker));
    }
    if (service.size() + 1 > peer.max_payload) return tl::unexpected(too_long(command, peer));
    const auto id = carrier.open(service, *this);
    if (!id) return tl::unexpected(id.error());
    carrier_ = &carrier;
    id_ = *id;
    return {};
}

void ShellCall::stop() {
    if (!carrier_) return;
    Carrier* const carrier = carrier_;
    carrier_ = nullptr;
    carrier->close(id_);
}

void ShellCall::acknowledge() {
    if (carrier_) carrier_->acknowledge(id_);
}

void ShellCall::close_input() {
    if (!carrier_ || v1_) return;
    std::uint8_t packet[kShellHeaderBytes] = {static_cast<std::uint8_t>(ShellId::close_in)};
    carrier_->write(id_, packet);
}

void ShellCall::end(const Result<int>& exit) {
    stop();
    sink_.on_shell_end(exit);  // may destroy this
}

void ShellCall::on_open() { sink_.on_shell_open(); }

void ShellCall::on_shell_bytes(OutputStream stream, ByteView bytes) {
    if (!carrier_) return;  // stopped by the sink between two pieces
    if (sink_.on_shell_output(stream, bytes) == Ack::later) ack_ = Ack::later;
}

Ack ShellCall::on_data(ByteView bytes) {
    ack_ = Ack::now;
    if (v1_) {
        v1_->feed(bytes, *this);
        return ack_;
    }
    const auto fed = v2_.feed(bytes, *this);
    if (!carrier_) return Ack::now;
    // The exit packet ends the command: the phone's own CLSE, one more round trip away, has nothing to add.
    if (!fed) {
        end(tl::unexpected(fed.error()));
    } else if (v2_.exit_code()) {
        end(int{*v2_.exit_code()});
    } else {
        return ack_;
    }
    return Ack::now;
}

void ShellCall::on_closed(const std::optional<Error>& why) {
    const bool v1 = v1_.has_value();
    std::optional<int> code;
    if (v1) code = v1_->finish(*this);
    if (!carrier_) return;  // stopped by the sink
    carrier_ = nullptr;
    if (code) return sink_.on_shell_end(*code);  // the command had ended, also when the link was lost just then
    if (why) return sink_.on_shell_end(tl::unexpected(*why));
    sink_.on_shell_end(
        fail(Code::exit_code_unknown, v1 ? "the phone closed the command and its exit code was not in the output"
                                         : "the phone closed the command without saying its exit code"));
}

}  // namespace drover::adb
