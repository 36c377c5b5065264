#include "adb/transport/usb_writer.hpp"

#include <algorithm>
#include <utility>

#include "base/assert.hpp"

namespace drover::adb {

void UsbWriter::push(std::vector<std::uint8_t>& packets) {
    if (done_ > queue_.size() / 2 || done_ == queue_.size()) {
        queue_.erase(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(done_));
        done_ = 0;
    }
    if (queue_.empty()) {
        queue_.swap(packets);
    } else {
        queue_.insert(queue_.end(), packets.begin(), packets.end());
        packets.clear();
    }
    if (part_left_ == 0 && !ends_full_) begin_part();
}

void UsbWriter::begin_part() {
    if (payload_next_ > 0) {
        part_left_ = std::exchange(payload_next_, 0);
    } else if (queued() > 0) {
        DROVER_ASSERT(queued() >= kHeaderBytes);
        part_left_ = kHeaderBytes;
        payload_next_ = decode_header(queue_.data() + done_).length;
        DROVER_ASSERT(queued() >= part_left_ + payload_next_);
    }
    ends_full_ = part_left_ > 0 && part_left_ % packet_bytes_ == 0;
}

std::optional<ByteView> UsbWriter::next(std::size_t bytes_max) const {
    if (part_left_ > 0) {
        const std::size_t whole = std::max(bytes_max / packet_bytes_, std::size_t{1}) * packet_bytes_;
        return ByteView(queue_.data() + done_, std::min(part_left_, whole));
    }
    if (ends_full_) return ByteView{};
    return std::nullopt;
}

void UsbWriter::sent(std::size_t bytes) {
    DROVER_ASSERT(bytes <= part_left_ && (bytes > 0 || ends_full_));
    if (bytes == 0) {
        ends_full_ = false;
    } else {
        done_ += bytes;
        part_left_ -= bytes;
    }
    if (part_left_ == 0 && !ends_full_) begin_part();
    if (queued() == 0) {
        // Memory of a large write is not kept: most phones are idle most of the time.
        constexpr std::size_t kKeptBytes = 4096;
        if (queue_.capacity() > kKeptBytes) {
            std::vector<std::uint8_t>().swap(queue_);
        } else {
            queue_.clear();
        }
        done_ = 0;
    }
}

}  // namespace drover::adb
