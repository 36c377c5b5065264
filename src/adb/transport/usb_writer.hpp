// Cuts ADB packets into the USB transfers a phone expects: the header in one, the payload in its own, and an empty one behind
// each that fills its last USB packet. The phone always reads 16 KiB blocks, which end only with a short USB packet; without
// the empty one it waits for ever, or takes the next header for payload (reference: AOSP zero_length_packet.md).
// Sans-IO; one thread; the packets are the link's own, so a torn one is our bug.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "adb/packet.hpp"
#include "base/bytes.hpp"

namespace drover::adb {

class UsbWriter {
public:
    static constexpr std::size_t kPieceBytesMax = 16 * 1024;

    // packet_bytes: wMaxPacketSize of the OUT endpoint, 1..2047.
    explicit UsbWriter(std::size_t packet_bytes) : packet_bytes_(packet_bytes) {}

    // Takes whole packets and leaves `packets` empty.
    void push(std::vector<std::uint8_t>& packets);

    // The next transfer, at most `bytes_max` long (rounded down to whole USB packets, one at least); an empty view is an
    // empty transfer. Valid until the next call that is not const. nullopt: nothing waits.
    std::optional<ByteView> next(std::size_t bytes_max = kPieceBytesMax) const;
    // The transfer that next() gave, of that size, was handed over.
    void sent(std::size_t bytes);

    std::size_t queued() const { return queue_.size() - done_; }

private:
    void begin_part();

    const std::size_t packet_bytes_;
    std::vector<std::uint8_t> queue_;
    std::size_t done_ = 0;          // bytes of queue_ handed over
    std::size_t part_left_ = 0;     // of the current header or payload
    std::size_t payload_next_ = 0;  // bytes of the payload that follows the current header
    bool ends_full_ = false;        // an empty transfer is due behind the current part
};

}  // namespace drover::adb
