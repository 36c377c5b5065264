#include "sim/device_link.hpp"

#include <algorithm>

#include "adb/auth.hpp"
#include "adb/banner.hpp"
#include "sim/device_stream.hpp"

namespace drover::sim {

using adb::Command;
using adb::Header;

DeviceLink::DeviceLink(Device& device, Services& services, LinkHost& host)
    : device_(device),
      services_(services),
      host_(host),
      max_payload_(device.profile().protocol == Protocol::old ? adb::kOldPayloadBytes : adb::kMaxPayloadBytes) {
    parser_.set_max_payload(UINT32_MAX);  // a length over the limit is told apart from a wrong magic in on_header()
    parser_.set_sums(old());
    deaf_ = device_.dice(FaultKind::mute);
    mute_after_handshake_ = device_.dice(FaultKind::mute_after_handshake);
    wrong_sums_ = device_.dice(FaultKind::bad_checksum);
    unauthorized_ = device_.dice(FaultKind::unauthorized);
}

DeviceLink::~DeviceLink() { drop_streams(); }

void DeviceLink::feed(ByteView bytes) {
    if (deaf_ || dropped_) return;
    if (parser_.feed(bytes, *this) || dropped_ || deaf_) return;
    // A wrong magic. Android 14's daemon falls silent and keeps the connection; an old one closes.
    deaf_ = true;
    if (old()) host_.drop();
}

Result<void> DeviceLink::on_header(const Header& header) {
    const std::uint32_t limit = old() ? adb::kOldPayloadBytes : adb::kMaxPayloadBytes;
    if (header.length <= limit) return {};
    dropped_ = true;
    host_.drop();
    return fail(Code::protocol_error, "payload over the limit");
}

Result<void> DeviceLink::on_payload(const Header&, ByteView piece) {
    payload_.insert(payload_.end(), piece.begin(), piece.end());
    return {};
}

Result<void> DeviceLink::on_packet_end(const Header& header, std::uint32_t sum) {
    // An old daemon checks every packet, the CNXN included, and closes; a modern one never looks.
    if (old() && sum != header.check) {
        dropped_ = true;
        host_.drop();
        return fail(Code::protocol_error, "checksum");
    }
    switch (static_cast<Command>(header.command)) {
        case Command::cnxn: on_cnxn(header); break;
        case Command::auth: on_auth(header); break;
        case Command::open: on_open(header); break;
        case Command::okay: on_okay(header); break;
        case Command::wrte: on_wrte(header); break;
        case Command::clse: on_clse(header); break;
        case Command::sync:
        case Command::stls: break;
    }
    constexpr std::size_t kKeptBytes = 4096;
    if (payload_.capacity() > kKeptBytes) std::vector<std::uint8_t>().swap(payload_);
    payload_.clear();
    if (dropped_ || deaf_) return fail(Code::protocol_error, "ended");
    return {};
}

void DeviceLink::on_cnxn(const Header& header) {
    drop_streams();
    phase_ = Phase::unauthorized;
    const bool both_new = !old() && header.arg0 >= adb::kVersionNoChecksum;
    sums_ = !both_new;
    const std::uint32_t ours = old() ? adb::kOldPayloadBytes : adb::kMaxPayloadBytes;
    max_payload_ = std::min(ours, header.arg1);
    const auto theirs = adb::parse_banner(as_text(payload_)).features;
    delayed_ack_ = device_.profile().has_feature("delayed_ack") && theirs.has("delayed_ack");

    if (device_.dice(FaultKind::junk)) {
        for (std::uint64_t i = 0; i < device_.profile().fault(FaultKind::junk).value; ++i) {
            out_.push_back(static_cast<std::uint8_t>(device_.rng().next()));
        }
        deaf_ = true;
        host_.wake();
        return;
    }
    if (device_.dice(FaultKind::wants_tls)) {
        send(Command::stls, adb::kStlsVersion, 0);
        return;
    }
    const AuthMode auth = unauthorized_ ? AuthMode::nobody : device_.profile().auth;
    if (auth == AuthMode::none) {
        go_online();
    } else {
        send_token();
    }
}

void DeviceLink::send_token() {
    for (auto& byte : token_) byte = static_cast<std::uint8_t>(device_.rng().next());
    send(Command::auth, static_cast<std::uint32_t>(adb::AuthType::token), 0, token_);
}

void DeviceLink::go_online() {
    phase_ = Phase::online;
    const std::string banner = device_.banner();
    send(Command::cnxn, old() ? adb::kVersionChecksum : adb::kVersionNoChecksum, max_payload_, as_bytes(banner));
    if (mute_after_handshake_) {
        deaf_ = true;
        return;
    }
    if (device_.dice(FaultKind::stray_open)) {
        send(Command::open, device_.next_stream_id(), 0, as_bytes(std::string_view("tcp:4321\0", 9)));
    }
    if (device_.dice(FaultKind::flood)) {
        const auto packets = std::min<std::uint64_t>(device_.profile().fault(FaultKind::flood).value, 1'000'000);
        for (std::uint64_t i = 0; i < packets; ++i) send(Command::wrte, 0x7fff0000, 0x7fff0000);
    }
}

void DeviceLink::on_auth(const Header& header) {
    if (phase_ == Phase::fresh || phase_ == Phase::online) return;
    if (header.arg0 != static_cast<std::uint32_t>(adb::AuthType::signature))
        return;  // a public key: nobody taps "allow"
    const auto& keys = device_.profile().trusted_keys;
    const bool trusts = !unauthorized_ && device_.profile().auth == AuthMode::trusted;
    if (trusts && std::any_of(keys.begin(), keys.end(), [this](const std::string& key) {
            return adb::verify_signature(key, token_, payload_);
        })) {
        go_online();
    } else {
        send_token();
    }
}

void DeviceLink::send(Command command, std::uint32_t arg0, std::uint32_t arg1, ByteView payload) {
    const std::size_t at = out_.size();
    adb::append_packet(out_, command, arg0, arg1, payload, sums_ || wrong_sums_);
    if (wrong_sums_ && !payload.empty()) out_[at + 16] ^= 0x55;  // the low byte of data_check
    host_.wake();
}

void DeviceLink::on_drained() {
    if (out_.size() + host_.queued() >= kQueueBytesMax) return;
    std::vector<std::shared_ptr<Stream>> all;
    for (const auto& [id, stream] : streams_) all.push_back(stream);
    for (const auto& stream : all) {
        if (stream->service && !stream->closed()) stream->service->on_can_write();
    }
}

}  // namespace drover::sim
