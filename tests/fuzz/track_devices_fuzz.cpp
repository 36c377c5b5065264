// A connection that follows the server's list of phones: OKAY, then a list of any content, in pieces of a size of the first byte.
// Every row is a device or is ignored, and no field of a device reaches into another row.
#include <fmt/format.h>

#include <algorithm>

#include "adb/smart_socket.hpp"
#include "base/assert.hpp"

namespace {

using namespace drover;
using namespace drover::adb;

// Nothing: the answer is an error, or not all there.
std::optional<ServerReply> next_reply(ByteView& bytes, std::size_t step, ReplyParser::Shape shape) {
    ReplyParser parser(shape);
    while (!bytes.empty() && !parser.done()) {
        const auto taken = parser.feed(bytes.first(std::min(step, bytes.size())));
        if (!taken) return std::nullopt;
        DROVER_ASSERT(*taken <= std::min(step, bytes.size()));
        if (*taken == 0 && !parser.done()) return std::nullopt;
        bytes = bytes.subspan(*taken);
    }
    if (!parser.done() && (!parser.finish() || !parser.done())) return std::nullopt;
    return parser.take();
}

std::string row_of(const ServerDevice& d) {
    std::string row = fmt::format("{:<22} {}", d.serial.empty() ? "(no serial number)" : d.serial, d.state_text);
    if (!d.usb_path.empty()) row += " usb:" + d.usb_path;
    if (!d.product.empty()) row += " product:" + d.product;
    if (!d.model.empty()) row += " model:" + d.model;
    if (!d.device.empty()) row += " device:" + d.device;
    return row + fmt::format(" transport_id:{}\n", d.transport_id);
}

void check(const ServerDeviceList& list, std::string_view text) {
    const auto rows = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + 1;
    DROVER_ASSERT(list.devices.size() + list.ignored.size() <= rows);
    for (const auto& device : list.devices) {
        DROVER_ASSERT(device.transport_id != 0 && !device.state_text.empty());
        const auto row = row_of(device);
        DROVER_ASSERT(std::count(row.begin(), row.end(), '\n') == 1);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::size_t step = std::size_t{1} + data[0] % 32;
    ByteView bytes(data + 1, size - 1);
    const auto status = next_reply(bytes, step, ReplyParser::Shape::status);
    if (!status || !status->okay) return 0;
    const auto reply = next_reply(bytes, step, ReplyParser::Shape::body);
    if (!reply) return 0;
    check(parse_device_list(reply->text), reply->text);
    return 0;
}
