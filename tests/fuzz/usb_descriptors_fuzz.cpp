// A device that lies in its descriptors. The first byte is the configuration that is looked at. What is found has one bulk endpoint
// each way and a packet size that a transfer can be rounded to; and it stands in the bytes.
#include "adb/transport/usb_interface.hpp"
#include "base/assert.hpp"

using namespace drover;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const ByteView bytes(data + 1, size - 1);
    const auto found = adb::find_adb_interface(bytes, data[0]);
    if (!found) return 0;
    DROVER_ASSERT((found->in & 0x80) != 0 && (found->out & 0x80) == 0);
    DROVER_ASSERT((found->in & 0x0F) != 0 && (found->out & 0x0F) != 0);
    DROVER_ASSERT(found->in_packet_bytes > 0 && found->in_packet_bytes <= 0x7FF);
    DROVER_ASSERT(found->out_packet_bytes > 0 && found->out_packet_bytes <= 0x7FF);
    // An interface and two endpoints are that long.
    DROVER_ASSERT(bytes.size() >= 9 + 7 + 7);
    DROVER_ASSERT(adb::find_adb_interface(bytes, data[0]) == found);
    return 0;
}
