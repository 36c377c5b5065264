// The part of Link that runs before it is online: CNXN and AUTH.
#include <fmt/format.h>

#include <algorithm>

#include "adb/link.hpp"

namespace drover::adb {

Result<void> Link::on_cnxn(const Header& h) {
    if (h.arg0 < kVersionChecksum) {
        return fail(Code::protocol_error,
                    fmt::format("CNXN announces version 0x{:08x}, 0x01000000 is the first", h.arg0));
    }
    if (h.arg1 < kPeerPayloadBytesMin) {
        return fail(Code::protocol_error,
                    fmt::format("CNXN announces a payload of {} bytes, {} is the least", h.arg1, kPeerPayloadBytesMin));
    }
    const bool again = state_ == LinkState::online;
    if (again) {
        // adbd restarted behind the same transport (root, unroot, USB re-enumeration): everything it knew is gone.
        if (auto flood = stray(h); !flood) return flood;
        state_ = LinkState::handshaking;  // no new stream from inside the callbacks
        drop_streams(Error(Code::link_lost, "adbd restarted"));
    }
    peer_.banner = parse_banner(drover::as_text(control_));
    const Features& ours = host_features(options_.delayed_ack);
    peer_.features = ours.intersect(peer_.banner.features);
    peer_.version = std::min(options_.version, h.arg0);
    peer_.max_payload = std::min(options_.max_payload, h.arg1);
    delayed_ack_ = peer_.features.has("delayed_ack");
    parser_.set_max_payload(std::max<std::uint32_t>(peer_.max_payload, kControlBytesMax));
    parser_.set_sums(checksums());
    if (keys_tried_ > 0) {
        // After `unauthorized` a person accepted the public key we sent: the first of the ring, not the last one tried.
        const std::size_t index = state_ == LinkState::unauthorized ? 0 : key_order_[keys_tried_ - 1];
        observer_.on_key_accepted(options_.keys->keys()[index].fingerprint());
    }
    keys_tried_ = 0;
    enter(LinkState::online);
    return {};
}

Result<void> Link::on_auth(const Header& h) {
    if (state_ == LinkState::online || h.arg0 != static_cast<std::uint32_t>(AuthType::token)) return stray(h);
    if (control_.size() != kTokenBytes) {
        return fail(Code::protocol_error, fmt::format("AUTH token of {} bytes, not {}", control_.size(), kTokenBytes));
    }
    if (state_ == LinkState::unauthorized) return stray(h);  // it has our public key; only a person can help now
    const auto& keys = options_.keys->keys();
    if (keys_tried_ == 0) key_order_ = options_.keys->order(options_.accepted_key);
    if (keys_tried_ < key_order_.size()) {
        const auto signature = keys[key_order_[keys_tried_++]].sign(control_);
        send(Command::auth, static_cast<std::uint32_t>(AuthType::signature), 0, signature);
        if (state_ != LinkState::authorizing) enter(LinkState::authorizing);
        return {};
    }
    if (!keys.empty()) {
        std::string line = keys.front().public_key_line();
        line.push_back('\0');
        send(Command::auth, static_cast<std::uint32_t>(AuthType::rsa_public_key), 0, drover::as_bytes(line));
    }
    enter(LinkState::unauthorized);
    return {};
}

}  // namespace drover::adb
