// ADB packets: however the bytes are split, the parser says the same; and what it read can be written again.
#include "adb/packet.hpp"
#include "base/assert.hpp"

namespace {

using namespace drover;
using namespace drover::adb;

struct Sink final : PacketSink {
    std::vector<std::uint8_t> seen;  // packets, as they would be sent again
    std::vector<std::uint8_t> payload;
    std::uint32_t packets = 0;

    Result<void> on_header(const Header& header) override {
        DROVER_ASSERT(header.magic == ~header.command);
        payload.clear();
        if (header.is(Command::stls)) return fail(Code::wants_tls, "stop here");
        return {};
    }
    Result<void> on_payload(const Header& header, ByteView piece) override {
        DROVER_ASSERT(!piece.empty());
        payload.insert(payload.end(), piece.begin(), piece.end());
        DROVER_ASSERT(payload.size() <= header.length);
        return {};
    }
    Result<void> on_packet_end(const Header& header, std::uint32_t sum) override {
        DROVER_ASSERT(payload.size() == header.length && sum == checksum(payload));
        const auto raw = encode(header);
        seen.insert(seen.end(), raw.begin(), raw.end());
        seen.insert(seen.end(), payload.begin(), payload.end());
        ++packets;
        return {};
    }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::size_t step = std::size_t{1} + data[0];
    const ByteView bytes(data + 1, size - 1);
    Sink whole, pieces;
    PacketParser one, many;
    one.set_max_payload(kOldPayloadBytes);
    many.set_max_payload(kOldPayloadBytes);
    const auto first = one.feed(bytes, whole);
    Result<void> second;
    for (std::size_t at = 0; at < bytes.size() && second; at += step) {
        second = many.feed(bytes.subspan(at, std::min(step, bytes.size() - at)), pieces);
    }
    DROVER_ASSERT(first.has_value() == second.has_value());
    DROVER_ASSERT(whole.seen == pieces.seen && whole.packets == pieces.packets);
    DROVER_ASSERT(whole.seen.size() <= bytes.size() && std::equal(whole.seen.begin(), whole.seen.end(), bytes.begin()));
    return 0;
}
