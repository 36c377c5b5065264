// What is written over USB, transfer by transfer.
#include "adb/transport/usb_writer.hpp"

#include <gmock/gmock.h>

#include "support/fake_adbd.hpp"

namespace drover::test {
namespace {

using adb::UsbWriter;
using ::testing::ElementsAre;
using Bytes = std::vector<std::uint8_t>;

Bytes wrte(std::size_t payload) { return packet(adb::Command::wrte, 1, 2, std::string(payload, 'p')); }

// Takes every transfer that waits; sizes only, with the bytes in `wire`.
std::vector<std::size_t> take(UsbWriter& writer, Bytes* wire = nullptr,
                              std::size_t bytes_max = UsbWriter::kPieceBytesMax) {
    std::vector<std::size_t> sizes;
    while (const auto next = writer.next(bytes_max)) {
        if (wire) wire->insert(wire->end(), next->begin(), next->end());
        sizes.push_back(next->size());
        writer.sent(next->size());
    }
    return sizes;
}

std::vector<std::size_t> transfers(std::size_t packet_bytes, Bytes packets) {
    UsbWriter writer(packet_bytes);
    const Bytes all = packets;
    writer.push(packets);
    EXPECT_TRUE(packets.empty());
    EXPECT_EQ(writer.queued(), all.size());
    Bytes wire;
    auto sizes = take(writer, &wire);
    EXPECT_EQ(wire, all);
    EXPECT_EQ(writer.queued(), 0u);
    return sizes;
}

TEST(UsbWriter, HeaderAndPayloadAreTwoTransfers) {
    EXPECT_THAT(transfers(512, wrte(0)), ElementsAre(24u));
    EXPECT_THAT(transfers(512, wrte(1)), ElementsAre(24u, 1u));
    EXPECT_THAT(transfers(512, wrte(600)), ElementsAre(24u, 600u));
}

TEST(UsbWriter, AnEmptyTransferFollowsAFullUsbPacket) {
    EXPECT_THAT(transfers(512, wrte(511)), ElementsAre(24u, 511u));
    EXPECT_THAT(transfers(512, wrte(512)), ElementsAre(24u, 512u, 0u));
    EXPECT_THAT(transfers(512, wrte(1024)), ElementsAre(24u, 1024u, 0u));
    EXPECT_THAT(transfers(512, wrte(16384)), ElementsAre(24u, 16384u, 0u));
    EXPECT_THAT(transfers(1024, wrte(512)), ElementsAre(24u, 512u));
    EXPECT_THAT(transfers(1024, wrte(1024)), ElementsAre(24u, 1024u, 0u));
    EXPECT_THAT(transfers(8, wrte(3)), ElementsAre(24u, 0u, 3u)) << "full speed: a header may fill its packets too";
}

TEST(UsbWriter, LongPayloadsGoInPiecesWithOneEmptyTransferAtTheEnd) {
    EXPECT_THAT(transfers(512, wrte(16385)), ElementsAre(24u, 16384u, 1u));
    EXPECT_THAT(transfers(512, wrte(40'000)), ElementsAre(24u, 16384u, 16384u, 7232u));
    EXPECT_THAT(transfers(512, wrte(32768)), ElementsAre(24u, 16384u, 16384u, 0u));
}

TEST(UsbWriter, SeveralPacketsInOneWrite) {
    Bytes all = wrte(512);
    for (const auto& more : {wrte(0), wrte(7)}) all.insert(all.end(), more.begin(), more.end());
    EXPECT_THAT(transfers(512, all), ElementsAre(24u, 512u, 0u, 24u, 24u, 7u));
}

TEST(UsbWriter, PacketsThatComeWhileOthersWait) {
    UsbWriter writer(512);
    Bytes first = wrte(512), second = wrte(3);
    Bytes wire, all = first;
    all.insert(all.end(), second.begin(), second.end());
    writer.push(first);
    wire.insert(wire.end(), writer.next()->begin(), writer.next()->end());
    writer.sent(24);
    writer.push(second);
    EXPECT_THAT(take(writer, &wire), ElementsAre(512u, 0u, 24u, 3u));
    EXPECT_EQ(wire, all);
}

TEST(UsbWriter, TheEmptyTransferIsNotForgottenWhenNothingElseWaits) {
    UsbWriter writer(512);
    Bytes first = wrte(512), second = wrte(0);
    writer.push(first);
    writer.sent(24);
    writer.sent(512);
    EXPECT_EQ(writer.queued(), 0u);
    writer.push(second);
    EXPECT_THAT(take(writer), ElementsAre(0u, 24u));
}

TEST(UsbWriter, SmallerPiecesWhenTheKernelHasNoMemory) {
    UsbWriter writer(512);
    Bytes packets = wrte(1500);
    writer.push(packets);
    EXPECT_THAT(take(writer, nullptr, 1024), ElementsAre(24u, 1024u, 476u));
    packets = wrte(600);
    writer.push(packets);
    EXPECT_THAT(take(writer, nullptr, 1), ElementsAre(24u, 512u, 88u))
        << "never less than a USB packet: that would end the payload";
}

}  // namespace
}  // namespace drover::test
