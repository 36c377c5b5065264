// Which USB transfers to ask the phone for, and what of their bytes are ADB packets. Sans-IO; one thread.
//
// A phone writes header and payload as two transfers, with nothing behind a payload that fills its last USB packet. So a read
// may only be as long as what is known to come: one USB packet for a header, and the payload, in pieces, rounded up to whole
// USB packets (a longer read would never end). Behind the payload the next header's read is queued. Reads of whole USB
// packets also mean that nothing a phone sends can overflow a read. The transfers need not split where they should: a short
// one, or header and payload in one, only changes what is asked for next.
//
// What an earlier session left in the phone comes first; all of it up to the first CNXN, AUTH or STLS is thrown away. Until
// then kReadsMax reads of one USB packet each are queued, which fit whatever comes.
// Failure: junk without an end is a protocol error. A wrong header is passed on, for the link to report; nothing is asked
// for after it, as no one knows what comes.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>

#include "adb/packet.hpp"
#include "base/bytes.hpp"
#include "drover/error.hpp"

namespace drover::adb {

class UsbReader {
public:
    static constexpr std::size_t kPieceBytesMax = 16 * 1024;       // of one read; the kernel may have no larger buffer
    static constexpr std::size_t kReadsMax = 4;                    // queued at once: bounds memory per phone
    static constexpr std::size_t kJunkBytesMax = 2 * 1024 * 1024;  // before the first CNXN

    // packet_bytes: wMaxPacketSize of the IN endpoint, 1..2047.
    explicit UsbReader(std::size_t packet_bytes) : packet_bytes_(packet_bytes) {}

    // How many bytes the next read should ask for; 0: nothing before a queued one comes back.
    std::size_t next_size() const;
    // A read of that size was queued: next_size(), or less, but whole USB packets.
    void asked(std::size_t bytes);
    // The oldest queued read came back. Returns its bytes when they belong to packets, and nothing when they are junk.
    Result<ByteView> came(ByteView bytes);

    std::size_t queued() const { return queued_.size(); }

private:
    bool starts_session(ByteView bytes) const;
    void follow(ByteView bytes);
    std::size_t round_up(std::size_t bytes) const {
        return (bytes + packet_bytes_ - 1) / packet_bytes_ * packet_bytes_;
    }

    const std::size_t packet_bytes_;
    std::deque<std::size_t> queued_;  // sizes, oldest first
    std::size_t queued_bytes_ = 0;
    std::size_t payload_left_ = 0;  // of the current packet, not yet here
    std::array<std::uint8_t, kHeaderBytes> header_{};
    std::size_t header_have_ = 0;
    std::size_t junk_bytes_ = 0;
    bool in_step_ = false;  // a session's first packet was seen
    bool broken_ = false;   // a wrong header was seen
};

}  // namespace drover::adb
