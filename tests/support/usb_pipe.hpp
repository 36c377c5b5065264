// One direction of a bulk endpoint, by the rules of USB: a transfer is cut into packets of wMaxPacketSize; a read ends with a
// short packet, when it is full, or with overflow when a packet does not fit. One thread.
#pragma once
#include <algorithm>
#include <deque>
#include <optional>
#include <vector>

#include "base/bytes.hpp"

namespace drover::test {

class UsbPipe {
public:
    explicit UsbPipe(std::size_t packet_bytes) : packet_bytes_(packet_bytes) {}

    // One transfer. No empty packet follows one that fills its last packet; an empty transfer is one empty packet.
    void write(ByteView bytes) {
        if (bytes.empty()) packets_.emplace_back();
        while (!bytes.empty()) {
            const std::size_t n = std::min(packet_bytes_, bytes.size());
            packets_.emplace_back(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(n));
            bytes = bytes.subspan(n);
        }
    }

    struct Read {
        std::vector<std::uint8_t> bytes;
        bool overflow = false;
    };
    // nullopt: the read would still be waiting for more; then nothing is taken.
    std::optional<Read> read(std::size_t size) {
        Read r;
        for (std::size_t i = 0; i < packets_.size(); ++i) {
            const auto& p = packets_[i];
            if (r.bytes.size() + p.size() > size) {
                r.overflow = true;
            } else {
                r.bytes.insert(r.bytes.end(), p.begin(), p.end());
            }
            if (r.overflow || p.size() < packet_bytes_ || r.bytes.size() == size) {
                packets_.erase(packets_.begin(), packets_.begin() + static_cast<std::ptrdiff_t>(i) + 1);
                return r;
            }
        }
        return std::nullopt;
    }
    bool empty() const { return packets_.empty(); }

private:
    const std::size_t packet_bytes_;
    std::deque<std::vector<std::uint8_t>> packets_;
};

}  // namespace drover::test
