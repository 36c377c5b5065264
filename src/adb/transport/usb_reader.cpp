#include "adb/transport/usb_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/assert.hpp"

namespace drover::adb {

std::size_t UsbReader::next_size() const {
    if (broken_ || queued_.size() >= kReadsMax) return 0;
    // Junk may be tens of thousands of short transfers: several reads under way get through it sooner.
    if (!in_step_) return packet_bytes_;
    const std::size_t payload = round_up(payload_left_);
    if (queued_bytes_ < payload) {
        const std::size_t piece = std::max(kPieceBytesMax / packet_bytes_, std::size_t{1}) * packet_bytes_;
        return std::min(piece, payload - queued_bytes_);
    }
    // All of the payload is asked for: the next header, once.
    return queued_bytes_ == payload ? packet_bytes_ : 0;
}

void UsbReader::asked(std::size_t bytes) {
    DROVER_ASSERT(bytes > 0 && bytes % packet_bytes_ == 0);
    queued_.push_back(bytes);
    queued_bytes_ += bytes;
}

Result<ByteView> UsbReader::came(ByteView bytes) {
    DROVER_ASSERT(!queued_.empty());
    queued_bytes_ -= queued_.front();
    queued_.pop_front();
    if (!in_step_) {
        if (!starts_session(bytes)) {
            junk_bytes_ += bytes.size();
            if (junk_bytes_ > kJunkBytesMax) {
                return fail(Code::protocol_error,
                            fmt::format("{} bytes came over USB without a CNXN among them", junk_bytes_));
            }
            return ByteView{};
        }
        in_step_ = true;
    }
    follow(bytes);
    return bytes;
}

// Any other packet is left over from an earlier session: this one begins with the answer to our CNXN.
bool UsbReader::starts_session(ByteView bytes) const {
    if (bytes.size() < kHeaderBytes) return false;
    const Header h = decode_header(bytes.data());
    const bool answer = h.is(Command::cnxn) || h.is(Command::auth) || h.is(Command::stls);
    return answer && h.magic == ~h.command && h.length <= kOldPayloadBytes;
}

void UsbReader::follow(ByteView bytes) {
    while (!bytes.empty() && !broken_) {
        if (payload_left_ > 0) {
            const std::size_t n = std::min(payload_left_, bytes.size());
            payload_left_ -= n;
            bytes = bytes.subspan(n);
            continue;
        }
        const std::size_t n = std::min(kHeaderBytes - header_have_, bytes.size());
        std::memcpy(header_.data() + header_have_, bytes.data(), n);
        header_have_ += n;
        bytes = bytes.subspan(n);
        if (header_have_ < kHeaderBytes) return;
        header_have_ = 0;
        const Header h = decode_header(header_.data());
        broken_ = h.magic != ~h.command || h.length > kMaxPayloadBytes;
        if (!broken_) payload_left_ = h.length;
    }
}

}  // namespace drover::adb
