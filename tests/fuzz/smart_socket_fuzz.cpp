// What an adb server answers, and where one may be said to be. However an answer is split, it reads the same.
#include "adb/smart_socket.hpp"
#include "base/assert.hpp"

namespace {

using namespace drover;
using namespace drover::adb;

struct Read {
    bool failed = false;
    bool done = false;
    std::size_t taken = 0;
    ServerReply reply;
};

Read read(ByteView bytes, std::size_t step, ReplyParser::Shape shape) {
    Read result, failed;
    failed.failed = true;
    ReplyParser parser(shape);
    while (result.taken < bytes.size() && !parser.done()) {
        const auto n = parser.feed(bytes.subspan(result.taken, std::min(step, bytes.size() - result.taken)));
        if (!n) return failed;
        result.taken += *n;
    }
    if (!parser.finish()) return failed;
    result.done = parser.done();
    result.reply = parser.take();
    return result;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::size_t step = std::size_t{1} + data[0] % 16;
    const ByteView bytes(data + 1, size - 1);
    for (const auto shape : {ReplyParser::Shape::status, ReplyParser::Shape::body}) {
        const Read whole = read(bytes, bytes.size() + 1, shape);
        const Read pieces = read(bytes, step, shape);
        DROVER_ASSERT(whole.failed == pieces.failed && whole.done == pieces.done && whole.taken == pieces.taken);
        DROVER_ASSERT(whole.reply.okay == pieces.reply.okay && whole.reply.text == pieces.reply.text);
        if (!whole.failed) error_of_fail(whole.reply.text, true);
    }
    const auto text = as_text(bytes);
    const auto list = parse_device_list(text);
    for (const auto& device : list.devices) DROVER_ASSERT(device.transport_id != 0 && !device.state_text.empty());
    if (const auto address = parse_server_address(text)) DROVER_ASSERT(!address->host.empty());
    return 0;
}
