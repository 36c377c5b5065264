// Every fault of a profile that shows in the packets.
#include "unit/sim/link_fixture.hpp"

namespace drover::test {
namespace {

using adb::Command;
using sim::FaultKind;

class DeviceFaultsTest : public DeviceLinkTest {
protected:
    void make_with(FaultKind kind, std::uint64_t value = UINT64_MAX, sim::Profile p = sim::modern_profile()) {
        p.set_fault(kind);
        if (value != UINT64_MAX) p.fault(kind).value = value;
        make(std::move(p));
    }
    std::vector<Sent> hello() {
        return send(Command::cnxn, adb::kVersionNoChecksum, adb::kMaxPayloadBytes, kClientBanner, true);
    }
    std::vector<std::uint8_t> raw(Command command, std::uint32_t arg0, std::uint32_t arg1, std::string_view payload) {
        link->feed(packet(command, arg0, arg1, payload, true));
        return std::exchange(link->out(), {});
    }
};

TEST_F(DeviceFaultsTest, MuteSaysNothing) {
    make_with(FaultKind::mute);
    EXPECT_THAT(hello(), IsEmpty());
    EXPECT_FALSE(host.dropped);
}

TEST_F(DeviceFaultsTest, MuteAfterHandshakeGreetsOnly) {
    make_with(FaultKind::mute_after_handshake);
    EXPECT_EQ(hello().size(), 1u);
    EXPECT_THAT(send(Command::open, 1, 0, "shell:true"), IsEmpty());
}

TEST_F(DeviceFaultsTest, WantsTlsAnswersStls) {
    make_with(FaultKind::wants_tls);
    EXPECT_THAT(hello(), ElementsAre(Sent{"STLS", 0x01000000, 0, ""}));
    EXPECT_THAT(send(Command::open, 1, 0, "shell:true"), IsEmpty());
}

TEST_F(DeviceFaultsTest, JunkIsRandomBytesThatTheSeedDecides) {
    make_with(FaultKind::junk, 100);
    const auto first = raw(Command::cnxn, adb::kVersionNoChecksum, 4096, kClientBanner);
    EXPECT_EQ(first.size(), 100u);
    make_with(FaultKind::junk, 100);
    EXPECT_EQ(raw(Command::cnxn, adb::kVersionNoChecksum, 4096, kClientBanner), first);
}

TEST_F(DeviceFaultsTest, StrayOpenFollowsTheGreeting) {
    make_with(FaultKind::stray_open);
    const auto answer = hello();
    ASSERT_EQ(answer.size(), 2u);
    EXPECT_EQ(answer[1], (Sent{"OPEN", 1, 0, std::string("tcp:4321\0", 9)}));
}

TEST_F(DeviceFaultsTest, FloodIsThatManyPacketsForNoStream) {
    make_with(FaultKind::flood, 1000);
    const auto answer = hello();
    ASSERT_EQ(answer.size(), 1001u);
    EXPECT_EQ(answer[1].name, "WRTE");
}

TEST_F(DeviceFaultsTest, BadMagicAnswersACommandWithABrokenHeader) {
    make_with(FaultKind::bad_magic);
    hello();
    const auto bytes = raw(Command::open, 1, 0, "shell:true");
    ASSERT_EQ(bytes.size(), adb::kHeaderBytes);
    const auto h = adb::decode_header(bytes.data());
    EXPECT_TRUE(h.is(Command::okay));
    EXPECT_NE(h.magic, ~h.command);
}

TEST_F(DeviceFaultsTest, OversizeHeaderAnnouncesMoreThanAnybodyTakes) {
    make_with(FaultKind::oversize_header);
    hello();
    const auto bytes = raw(Command::open, 1, 0, "shell:true");
    ASSERT_EQ(bytes.size(), adb::kHeaderBytes);
    const auto h = adb::decode_header(bytes.data());
    EXPECT_EQ(h.magic, ~h.command);
    EXPECT_EQ(h.length, 64u * 1024 * 1024);
}

TEST_F(DeviceFaultsTest, BadChecksumIsWrongInEveryPacketWithAPayload) {
    make_with(FaultKind::bad_checksum, UINT64_MAX, sim::old_profile());
    const auto answer = hello();
    ASSERT_EQ(answer.size(), 1u);
    EXPECT_NE(answer[0].check, adb::checksum(as_bytes(answer[0].payload)));
}

TEST_F(DeviceFaultsTest, RefuseOpen) {
    make_with(FaultKind::refuse_open);
    hello();
    EXPECT_THAT(send(Command::open, 5, 0, "shell:true"), ElementsAre(Sent{"CLSE", 0, 5, ""}));
    EXPECT_THAT(services.names, IsEmpty());
}

TEST_F(DeviceFaultsTest, SilentTakesTheCommandAndNeverAnswersButCloses) {
    make_with(FaultKind::silent);
    hello();
    EXPECT_THAT(send(Command::open, 5, 0, "shell:true"), ElementsAre(Sent{"OKAY", 1, 5, ""}));
    EXPECT_THAT(services.names, IsEmpty());
    EXPECT_THAT(send(Command::clse, 5, 1), ElementsAre(Sent{"CLSE", 1, 5, ""}));
}

TEST_F(DeviceFaultsTest, DropLosesTheConnectionInTheMiddleOfTheOutput) {
    make_with(FaultKind::drop);
    hello();
    EXPECT_THAT(send(Command::open, 5, 0, "shell,v2:true"),
                ElementsAre(Sent{"OKAY", 1, 5, ""}, Sent{"WRTE", 1, 5, std::string("\1\4\0\0\0part", 9)}));
    EXPECT_TRUE(host.dropped);
}

TEST_F(DeviceFaultsTest, CommandFaultsReachTheService) {
    sim::Profile p = sim::modern_profile();
    p.set_fault(FaultKind::no_exit_code);
    p.set_fault(FaultKind::huge_output);
    make_with(FaultKind::exit_code, 7, std::move(p));
    hello();
    send(Command::open, 5, 0, "shell:true");
    ASSERT_EQ(services.faults.size(), 1u);
    EXPECT_TRUE(services.faults[0].no_exit_code);
    EXPECT_EQ(services.faults[0].exit_code, 7);
    EXPECT_EQ(services.faults[0].extra_output_bytes, 20'000'000u);
}

TEST_F(DeviceFaultsTest, ARateIsKeptAndTheSeedDecidesWhichOnes) {
    std::vector<int> refused;
    for (int round = 0; round < 2; ++round) {
        sim::Profile p = sim::modern_profile();
        p.set_fault(FaultKind::refuse_open, 0.25);
        make(std::move(p));
        hello();
        int count = 0;
        for (std::uint32_t i = 1; i <= 400; ++i) {
            if (send(Command::open, i, 0, "shell:true").at(0).name == "CLSE") ++count;
        }
        refused.push_back(count);
    }
    EXPECT_EQ(refused[0], refused[1]);
    EXPECT_GT(refused[0], 60);
    EXPECT_LT(refused[0], 140);
}

TEST(Device, EqualSerialsAreEqualAndOthersAreThePhonesId) {
    sim::Profile p = sim::modern_profile();
    const auto plain = std::make_shared<const sim::Profile>(p);
    p.set_fault(FaultKind::equal_serial);
    const auto equal = std::make_shared<const sim::Profile>(p);
    EXPECT_EQ(sim::Device(plain, "vphone-0002", 2, 1).property("ro.serialno"), "vphone-0002");
    EXPECT_EQ(sim::Device(equal, "vphone-0002", 2, 1).property("ro.serialno"), "0123456789ABCDEF");
    EXPECT_EQ(sim::Device(equal, "vphone-0003", 3, 1).property("ro.serialno"), "0123456789ABCDEF");
}

}  // namespace
}  // namespace drover::test
