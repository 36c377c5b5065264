// The descriptor walk, on exact bytes: real layouts, and devices that lie.
#include "adb/transport/usb_interface.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace drover::test {
namespace {

using adb::find_adb_interface;
using adb::UsbInterface;
using Bytes = std::vector<std::uint8_t>;

Bytes operator+(Bytes a, const Bytes& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

const Bytes kDevice{18, 1, 0x00, 2, 0, 0, 0, 64, 0xd1, 0x18, 0xe7, 0x4e, 0, 4, 1, 2, 3, 1};
Bytes configuration(std::uint8_t value) { return {9, 2, 32, 0, 1, value, 0, 0x80, 250}; }
Bytes interface(std::uint8_t number, std::uint8_t alternate, std::uint8_t endpoints, Bytes triple) {
    return Bytes{9, 4, number, alternate, endpoints} + triple + Bytes{0};
}
Bytes bulk(std::uint8_t address, std::uint16_t packet) {
    return {7, 5, address, 2, static_cast<std::uint8_t>(packet & 0xff), static_cast<std::uint8_t>(packet >> 8), 0};
}
const Bytes kAdb{0xff, 0x42, 0x01};
const Bytes kDebugPort{0xdc, 0x02, 0x01};
const Bytes kMtp{0x06, 0x01, 0x01};
const Bytes kCompanion{6, 48, 8, 0, 0, 0};

UsbInterface expected(std::uint8_t number, std::uint8_t in, std::uint8_t out, std::uint16_t packet) {
    UsbInterface i;
    i.number = number;
    i.in = in;
    i.out = out;
    i.in_packet_bytes = i.out_packet_bytes = packet;
    return i;
}

TEST(UsbInterface, AdbAlone) {
    const auto d = kDevice + configuration(1) + interface(0, 0, 2, kAdb) + bulk(0x01, 512) + bulk(0x81, 512);
    EXPECT_EQ(find_adb_interface(d, 1), expected(0, 0x81, 0x01, 512));
}

TEST(UsbInterface, AdbBehindMtpWithItsInterruptEndpoint) {
    const Bytes interrupt{7, 5, 0x82, 3, 28, 0, 6};
    const auto d = kDevice + configuration(1) + interface(0, 0, 3, kMtp) + bulk(0x81, 512) + bulk(0x01, 512) +
                   interrupt + interface(1, 0, 2, kAdb) + bulk(0x83, 512) + bulk(0x02, 512);
    EXPECT_EQ(find_adb_interface(d, 1), expected(1, 0x83, 0x02, 512));
}

TEST(UsbInterface, SuperSpeedCompanionsAreSteppedOver) {
    const auto d = kDevice + configuration(1) + interface(3, 0, 2, kAdb) + bulk(0x84, 1024) + kCompanion +
                   bulk(0x03, 1024) + kCompanion;
    EXPECT_EQ(find_adb_interface(d, 1), expected(3, 0x84, 0x03, 1024));
}

TEST(UsbInterface, DebugPortOfXhci) {
    const auto d = kDevice + configuration(1) + interface(0, 0, 2, kDebugPort) + bulk(0x81, 1024) + kCompanion +
                   bulk(0x01, 1024) + kCompanion;
    EXPECT_EQ(find_adb_interface(d, 1), expected(0, 0x81, 0x01, 1024));
}

TEST(UsbInterface, TheAlternateSettingWithTheEndpointsIsTaken) {
    auto want = expected(2, 0x81, 0x01, 512);
    want.alternate = 1;
    const auto d = kDevice + configuration(1) + interface(2, 0, 0, kAdb) + interface(2, 1, 2, kAdb) + bulk(0x81, 512) +
                   bulk(0x01, 512);
    EXPECT_EQ(find_adb_interface(d, 1), want);
}

TEST(UsbInterface, OnlyTheActiveConfigurationCounts) {
    const auto adb = interface(0, 0, 2, kAdb) + bulk(0x01, 512) + bulk(0x81, 512);
    const auto d = kDevice + configuration(1) + interface(0, 0, 0, kMtp) + configuration(2) + adb;
    EXPECT_EQ(find_adb_interface(d, 1), std::nullopt);
    EXPECT_TRUE(find_adb_interface(d, 2));
    EXPECT_EQ(find_adb_interface(d, 0), std::nullopt);
    EXPECT_TRUE(find_adb_interface(kDevice + configuration(1) + adb + configuration(2), 1));
}

TEST(UsbInterface, ExactlyOneBulkEndpointInEachDirection) {
    const auto head = kDevice + configuration(1) + interface(0, 0, 2, kAdb);
    EXPECT_EQ(find_adb_interface(head, 1), std::nullopt);
    EXPECT_EQ(find_adb_interface(head + bulk(0x81, 512), 1), std::nullopt);
    EXPECT_EQ(find_adb_interface(head + bulk(0x81, 512) + bulk(0x82, 512), 1), std::nullopt);
    EXPECT_EQ(find_adb_interface(head + bulk(0x81, 512) + bulk(0x01, 512) + bulk(0x02, 512), 1), std::nullopt);
    const Bytes isochronous{7, 5, 0x81, 1, 0, 2, 0};
    EXPECT_EQ(find_adb_interface(head + isochronous + bulk(0x01, 512), 1), std::nullopt);
}

TEST(UsbInterface, OtherVendorClassesAreNotAdb) {
    const Bytes fastboot{0xff, 0x42, 0x03};
    const auto d = kDevice + configuration(1) + interface(0, 0, 2, fastboot) + bulk(0x01, 512) + bulk(0x81, 512);
    EXPECT_EQ(find_adb_interface(d, 1), std::nullopt);
}

TEST(UsbInterface, ZeroLengthsAreSurvived) {
    const auto adb = interface(0, 0, 2, kAdb) + bulk(0x01, 512) + bulk(0x81, 512);
    for (const Bytes& broken : {Bytes{0, 0}, Bytes{0, 36}, Bytes{1, 36}, Bytes(64, 0)}) {
        EXPECT_TRUE(find_adb_interface(kDevice + configuration(1) + broken + adb, 1)) << broken.size();
        EXPECT_TRUE(find_adb_interface(kDevice + configuration(1) + adb + broken, 1)) << broken.size();
    }
    EXPECT_EQ(find_adb_interface(Bytes(4096, 0), 1), std::nullopt);
}

TEST(UsbInterface, AnEndpointWithoutNumberOrPacketSizeIsRefused) {
    const auto head = kDevice + configuration(1) + interface(0, 0, 2, kAdb);
    EXPECT_EQ(find_adb_interface(head + bulk(0x80, 512) + bulk(0x01, 512), 1), std::nullopt);
    EXPECT_EQ(find_adb_interface(head + bulk(0x81, 0) + bulk(0x01, 512), 1), std::nullopt);
}

TEST(UsbInterface, CutAnywhereItEndsWithoutAnInterface) {
    const auto d = kDevice + configuration(1) + interface(0, 0, 2, kAdb) + bulk(0x01, 512) + bulk(0x81, 512);
    for (std::size_t n = 0; n < d.size(); ++n)
        EXPECT_EQ(find_adb_interface(ByteView(d).first(n), 1), std::nullopt) << n;
}

TEST(UsbInterface, AnyBytesAreSurvived) {
    std::mt19937 random(7);
    for (int round = 0; round < 20'000; ++round) {
        Bytes d = kDevice + configuration(1) + interface(0, 0, 2, kAdb) + bulk(0x01, 512) + bulk(0x81, 512);
        for (int change = 0; change < 3; ++change) d[random() % d.size()] = static_cast<std::uint8_t>(random());
        if (const auto found = find_adb_interface(d, 1)) {
            EXPECT_NE(found->in_packet_bytes, 0);
            EXPECT_NE(found->out_packet_bytes, 0);
            EXPECT_NE(found->in & 0x80, found->out & 0x80);
        }
    }
}

}  // namespace
}  // namespace drover::test
