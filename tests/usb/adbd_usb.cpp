#include "usb/adbd_usb.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "adb/packet.hpp"

namespace drover::test {

HostBlocks::HostBlocks(std::size_t packet_bytes, OnPacket on_packet, OnViolation on_violation)
    : packet_bytes_(packet_bytes), on_packet_(std::move(on_packet)), on_violation_(std::move(on_violation)) {}

void HostBlocks::on_transfer(ByteView transfer) {
    const bool ends_short = transfer.empty() || transfer.size() % packet_bytes_ != 0;
    while (!transfer.empty()) {
        const std::size_t n = std::min(kAdbdBlockBytes - block_.size(), transfer.size());
        block_.insert(block_.end(), transfer.begin(), transfer.begin() + static_cast<std::ptrdiff_t>(n));
        transfer = transfer.subspan(n);
        if (block_.size() == kAdbdBlockBytes && !transfer.empty()) on_block(std::exchange(block_, {}));
    }
    if (ends_short || block_.size() == kAdbdBlockBytes) on_block(std::exchange(block_, {}));
}

void HostBlocks::on_block(ByteView block) {
    if (block.empty()) return;  // behind a payload of whole blocks
    if (payload_left_ == 0) {
        if (block.size() != adb::kHeaderBytes) return stumble(fmt::format("a header of {} bytes", block.size()));
        payload_left_ = adb::decode_header(block.data()).length;
    } else if (block.size() > payload_left_) {
        return stumble(fmt::format("{} bytes where {} of the payload were left", block.size(), payload_left_));
    } else {
        payload_left_ -= block.size();
    }
    packet_.insert(packet_.end(), block.begin(), block.end());
    if (payload_left_ > 0) return;
    on_packet_(packet_, packet_.size() - adb::kHeaderBytes);
    packet_.clear();
}

void HostBlocks::reset() {
    block_.clear();
    packet_.clear();
    payload_left_ = 0;
}

void HostBlocks::stumble(std::string why) {
    reset();
    on_violation_(std::move(why));
}

void PhonePackets::feed(ByteView bytes) {
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    ByteView left = bytes_;
    while (left.size() >= adb::kHeaderBytes) {
        const std::size_t size = adb::kHeaderBytes + adb::decode_header(left.data()).length;
        if (left.size() < size) break;
        on_packet_(left.first(size));
        left = left.subspan(size);
    }
    bytes_.erase(bytes_.begin(), bytes_.end() - static_cast<std::ptrdiff_t>(left.size()));
}

}  // namespace drover::test
