#include "adb/packet.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace drover::adb {
namespace {

struct NotedPackets final : PacketSink {
    std::string log;
    Result<void> on_header(const Header& h) override {
        log += name_of(h.command) + "(" + std::to_string(h.arg0) + "," + std::to_string(h.arg1) + ")";
        return {};
    }
    Result<void> on_payload(const Header&, ByteView piece) override {
        log += as_text(piece);
        return {};
    }
    Result<void> on_packet_end(const Header&, std::uint32_t sum) override {
        log += "#" + std::to_string(sum) + ";";
        return {};
    }
};

std::vector<std::uint8_t> two_packets() {
    std::vector<std::uint8_t> bytes;
    append_packet(bytes, Command::wrte, 7, 9, as_bytes("ab"), true);
    append_packet(bytes, Command::okay, 1, 2, {}, false);
    return bytes;
}

TEST(Packet, HeaderBytesAreLittleEndianWords) {
    std::vector<std::uint8_t> bytes;
    append_packet(bytes, Command::open, 0x01020304, 5, as_bytes("a\xff"), true);
    const std::vector<std::uint8_t> expected{'O', 'P', 'E', 'N',  4, 3, 2, 1,    5,    0,    0,    0,   2,
                                             0,   0,   0,   0x60, 1, 0, 0, 0xb0, 0xaf, 0xba, 0xb1, 'a', 0xff};
    EXPECT_EQ(bytes, expected);
    const Header h = decode_header(bytes.data());
    EXPECT_EQ(h.arg0, 0x01020304u);
    EXPECT_EQ(h.magic, ~h.command);
    const auto again = encode(h);
    EXPECT_TRUE(std::equal(again.begin(), again.end(), bytes.begin()));
}

TEST(Packet, ChecksumIsThePlainSumAndZeroWhenNotWanted) {
    EXPECT_EQ(checksum(as_bytes("\xff\xff\x02")), 512u);
    std::vector<std::uint8_t> bytes;
    append_packet(bytes, Command::wrte, 1, 2, as_bytes("abc"), false);
    EXPECT_EQ(decode_header(bytes.data()).check, 0u);
}

TEST(Packet, AnySplitGivesTheSamePackets) {
    const auto bytes = two_packets();
    for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
        NotedPackets noted;
        PacketParser parser;
        const ByteView all(bytes);
        ASSERT_TRUE(parser.feed(all.first(cut), noted));
        ASSERT_TRUE(parser.feed(all.subspan(cut), noted));
        EXPECT_EQ(noted.log, "WRTE(7,9)ab#195;OKAY(1,2)#0;") << "cut at " << cut;
        EXPECT_TRUE(parser.between_packets());
    }
}

TEST(Packet, ByteByByteIsTheSame) {
    NotedPackets noted;
    PacketParser parser;
    for (const std::uint8_t b : two_packets()) ASSERT_TRUE(parser.feed({&b, 1}, noted));
    EXPECT_EQ(noted.log, "WRTE(7,9)ab#195;OKAY(1,2)#0;");
}

TEST(Packet, WrongMagicEndsTheParsing) {
    auto bytes = two_packets();
    bytes[20] ^= 1;
    NotedPackets noted;
    PacketParser parser;
    const auto r = parser.feed(bytes, noted);
    ASSERT_FALSE(r);
    EXPECT_EQ(r.error().code, Code::protocol_error);
    EXPECT_THAT(r.error().message, ::testing::HasSubstr("magic"));
    EXPECT_EQ(noted.log, "");
}

TEST(Packet, LengthOverTheLimitIsRefusedBeforeAnyPayload) {
    std::vector<std::uint8_t> bytes;
    append_packet(bytes, Command::wrte, 1, 2, as_bytes("12345"), false);
    NotedPackets noted;
    PacketParser parser;
    parser.set_max_payload(4);
    const auto r = parser.feed(bytes, noted);
    ASSERT_FALSE(r);
    EXPECT_EQ(r.error().message, "packet WRTE announces 5 bytes, the limit is 4");
    EXPECT_EQ(noted.log, "");
    NotedPackets exact;
    PacketParser at_limit;
    at_limit.set_max_payload(5);
    EXPECT_TRUE(at_limit.feed(bytes, exact));
}

TEST(Packet, NamesOfCommandsThatAreNone) {
    EXPECT_EQ(name_of(0x4e584e43), "CNXN");
    EXPECT_EQ(name_of(7), "0x00000007");
}

TEST(Packet, RandomBytesNeverDoMoreThanFail) {
    std::mt19937 random(4711);
    for (int round = 0; round < 2000; ++round) {
        std::vector<std::uint8_t> bytes(random() % 100);
        for (auto& b : bytes) b = static_cast<std::uint8_t>(random());
        NotedPackets noted;
        PacketParser parser;
        const bool ok = parser.feed(bytes, noted).has_value();
        EXPECT_EQ(ok, bytes.size() < kHeaderBytes);  // a random magic does not fit
    }
}

}  // namespace
}  // namespace drover::adb
