// The rules by which adbd reads and writes USB, without any USB: transfers in, packets out, and the other way round. All the
// fronts of the tests' USB phones (umockdev, usbredir, FunctionFS) go by these, so a host that breaks a rule is noted by each.
//
// Threads: HostBlocks and PhonePackets are used by one thread each; they share nothing. Ownership: plain values that call back.
// Failure: a host that breaks the rules is told to on_violation, and what it began is thrown away.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/bytes.hpp"

namespace drover::test {

constexpr std::size_t kAdbdBlockBytes = 16 * 1024;  // AOSP daemon/usb.cpp: kUsbReadSize

// Host to phone: reads of up to 16 KiB become ADB packets.
class HostBlocks {
public:
    using OnPacket = std::function<void(ByteView packet, std::size_t payload_bytes)>;
    using OnViolation = std::function<void(std::string why)>;

    HostBlocks(std::size_t packet_bytes, OnPacket on_packet, OnViolation on_violation);

    // One OUT transfer, where nobody else cuts blocks: a block is handed up when it is full or ended by a short packet; an
    // empty transfer is one.
    void on_transfer(ByteView transfer);
    // One read as the kernel ended it.
    void on_block(ByteView block);
    void reset();

private:
    void stumble(std::string why);

    const std::size_t packet_bytes_;
    const OnPacket on_packet_;
    const OnViolation on_violation_;
    std::vector<std::uint8_t> block_;   // a read, as far as it is filled
    std::vector<std::uint8_t> packet_;  // header, then as much of the payload as is here
    std::size_t payload_left_ = 0;
};

// Phone to host: a stream of bytes becomes ADB packets.
class PhonePackets {
public:
    using OnPacket = std::function<void(ByteView packet)>;

    explicit PhonePackets(OnPacket on_packet) : on_packet_(std::move(on_packet)) {}
    void feed(ByteView bytes);
    void reset() { bytes_.clear(); }

private:
    const OnPacket on_packet_;
    std::vector<std::uint8_t> bytes_;
};

}  // namespace drover::test
