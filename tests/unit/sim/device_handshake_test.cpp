// What a phone says to CNXN, byte by byte; the facts are those of Android 14's and Android 4's daemons.
#include "unit/sim/link_fixture.hpp"

namespace drover::test {
namespace {

using adb::Command;

TEST_F(DeviceLinkTest, AModernPhoneNamesItselfAndItsFeaturesWithoutNul) {
    make();
    const auto answer = send(Command::cnxn, adb::kVersionNoChecksum, adb::kMaxPayloadBytes, kClientBanner);
    const std::string banner =
        "device::ro.product.name=drover_phone;ro.product.model=Virtual "
        "Phone;ro.product.device=vphone;features=shell_v2,cmd,stat_v2,"
        "ls_v2,fixed_push_mkdir,apex,fixed_push_symlink_timestamp,remount_shell,track_app,sendrecv_v2,"
        "sendrecv_v2_brotli,sendrecv_v2_lz4,sendrecv_v2_zstd,sendrecv_v2_dry_run_send,openscreen_mdns,"
        "devicetracker_proto_format,delayed_ack";
    EXPECT_THAT(answer, ElementsAre(Sent{"CNXN", 0x01000001, 1048576, banner}));
    EXPECT_EQ(answer[0].check, 0u);
}

TEST_F(DeviceLinkTest, ItsCnxnAlwaysSays0x01000001ButToldTheOldVersionItUsesChecksums) {
    make();
    const auto answer = send(Command::cnxn, adb::kVersionChecksum, 4096, kClientBanner, true);
    ASSERT_EQ(answer.size(), 1u);
    EXPECT_EQ(answer[0].arg0, 0x01000001u);
    EXPECT_EQ(answer[0].arg1, 4096u);
    EXPECT_EQ(answer[0].check, adb::checksum(as_bytes(answer[0].payload)));
}

TEST_F(DeviceLinkTest, PayloadIsTheSmallerOfBoth) {
    for (const std::uint32_t theirs : {4096u, 262144u, 1048576u, 16777216u}) {
        make();
        const auto answer = send(Command::cnxn, adb::kVersionNoChecksum, theirs, kClientBanner);
        ASSERT_EQ(answer.size(), 1u);
        EXPECT_EQ(answer[0].arg1, std::min(theirs, 1048576u));
    }
}

TEST_F(DeviceLinkTest, AModernPhoneNeverLooksAtChecksums) {
    make();
    auto wrong = packet(Command::cnxn, adb::kVersionChecksum, 4096, kClientBanner, true);
    wrong[16] ^= 1;
    link->feed(wrong);
    EXPECT_EQ(sent().size(), 1u);
    EXPECT_FALSE(host.dropped);
}

TEST_F(DeviceLinkTest, AnOldPhoneAnswersOldBannerWithSemicolonAndNul) {
    make(sim::old_profile());
    const auto answer = send(Command::cnxn, adb::kVersionNoChecksum, adb::kMaxPayloadBytes, kClientBanner, true);
    std::string banner =
        "device::ro.product.name=drover_phone;ro.product.model=Old Virtual Phone;ro.product.device=oldphone;";
    banner.push_back('\0');
    EXPECT_THAT(answer, ElementsAre(Sent{"CNXN", 0x01000000, 4096, banner}));
    EXPECT_EQ(answer[0].check, adb::checksum(as_bytes(banner)));
}

TEST_F(DeviceLinkTest, AnOldPhoneClosesAtACnxnWithoutChecksum) {
    make(sim::old_profile());
    EXPECT_THAT(send(Command::cnxn, adb::kVersionNoChecksum, 4096, kClientBanner, false), IsEmpty());
    EXPECT_TRUE(host.dropped);
}

TEST_F(DeviceLinkTest, AnOldPhoneClosesAtALaterPacketWithAWrongChecksumOrOver4096Bytes) {
    make(sim::old_profile());
    online(kClientBanner, adb::kVersionNoChecksum);
    EXPECT_THAT(send(Command::open, 1, 0, "shell:true", false), IsEmpty());
    EXPECT_TRUE(host.dropped);

    host.dropped = false;
    make(sim::old_profile());
    online(kClientBanner, adb::kVersionNoChecksum);
    EXPECT_THAT(send(Command::open, 1, 0, std::string(4097, 'x'), true), IsEmpty());
    EXPECT_TRUE(host.dropped);
    EXPECT_THAT(services.names, IsEmpty());
}

TEST_F(DeviceLinkTest, ModernAWrongMagicIsAnsweredBySilenceForEver) {
    make();
    online();
    auto bad = packet(Command::open, 1, 0, "shell:true");
    bad[20] ^= 1;
    link->feed(bad);
    EXPECT_THAT(sent(), IsEmpty());
    EXPECT_THAT(send(Command::open, 1, 0, "shell:true"), IsEmpty());
    EXPECT_FALSE(host.dropped);
}

TEST_F(DeviceLinkTest, ALengthOverOneMebibyteClosesAndIsNotWaitedFor) {
    make();
    online();
    adb::Header h;
    h.command = static_cast<std::uint32_t>(Command::wrte);
    h.length = adb::kMaxPayloadBytes + 1;
    h.magic = ~h.command;
    link->feed(adb::encode(h));
    EXPECT_TRUE(host.dropped);
    EXPECT_THAT(send(Command::open, 1, 0, "shell:true"), IsEmpty());
}

TEST_F(DeviceLinkTest, ExactlyOneMebibyteIsTaken) {
    make();
    online();
    EXPECT_EQ(send(Command::open, 1, 0, std::string(adb::kMaxPayloadBytes, 'x')).size(), 1u);
    EXPECT_FALSE(host.dropped);
}

TEST_F(DeviceLinkTest, OpenBeforeCnxnIsSilence) {
    make();
    EXPECT_THAT(send(Command::open, 1, 0, "shell:true"), IsEmpty());
    EXPECT_THAT(services.names, IsEmpty());
}

TEST_F(DeviceLinkTest, ASecondCnxnDropsEveryStreamAndIsAnswered) {
    make();
    online();
    send(Command::open, 1, 0, "shell:cat");
    EXPECT_THAT(send(Command::cnxn, adb::kVersionNoChecksum, 4096, kClientBanner),
                ElementsAre(::testing::Field(&Sent::name, "CNXN")));
    EXPECT_EQ(service().closed, 1);
    EXPECT_EQ(link->streams(), 0u);
}

TEST_F(DeviceLinkTest, BytesMayComeOneByOne) {
    make();
    for (const std::uint8_t byte : packet(Command::cnxn, adb::kVersionNoChecksum, 4096, kClientBanner))
        link->feed(ByteView(&byte, 1));
    for (const std::uint8_t byte : packet(Command::open, 1, 0, "shell:true")) link->feed(ByteView(&byte, 1));
    EXPECT_EQ(sent().size(), 2u);
    EXPECT_THAT(services.names, ElementsAre("shell:true"));
}

TEST_F(DeviceLinkTest, AnyBytesAtAllAreSurvived) {
    sim::Rng rng(20);
    for (int round = 0; round < 2000; ++round) {
        make(round % 2 == 0 ? sim::modern_profile() : sim::old_profile());
        if (round % 3 == 0) online(kDelayedClientBanner, adb::kVersionChecksum);
        std::vector<std::uint8_t> bytes;
        for (int i = 0; i < 4; ++i) {
            constexpr Command kAll[] = {Command::cnxn, Command::auth, Command::open, Command::okay,
                                        Command::wrte, Command::clse, Command::sync};
            std::string payload(rng.next() % 40, static_cast<char>(rng.next()));
            auto p = packet(kAll[rng.next() % 7], static_cast<std::uint32_t>(rng.next() % 3),
                            static_cast<std::uint32_t>(rng.next() % 3), payload, true);
            if (rng.next() % 4 == 0) p[rng.next() % p.size()] ^= static_cast<std::uint8_t>(rng.next());
            bytes.insert(bytes.end(), p.begin(), p.end());
        }
        link->feed(bytes);
        sent();
    }
}

}  // namespace
}  // namespace drover::test
