// Streams from the phone's side: numbers, windows, closes (reference: AOSP adb.cpp handle_packet, sockets.cpp).
#include "unit/sim/link_fixture.hpp"

namespace drover::test {
namespace {

using adb::Command;

TEST_F(DeviceLinkTest, OpenIsAnsweredByOkayAndTheServiceStarts) {
    make();
    online();
    EXPECT_THAT(send(Command::open, 5, 0, std::string("shell:true\0", 11)), ElementsAre(Sent{"OKAY", 1, 5, ""}));
    EXPECT_THAT(services.names, ElementsAre("shell:true"));
    EXPECT_EQ(service().started, 1);
}

TEST_F(DeviceLinkTest, OpenWithoutTheTrailingNulWorks) {
    make();
    online();
    send(Command::open, 5, 0, "shell:true");
    EXPECT_THAT(services.names, ElementsAre("shell:true"));
}

TEST_F(DeviceLinkTest, StreamNumbersCountUpOverAllConnectionsOfThePhone) {
    make();
    online();
    EXPECT_EQ(send(Command::open, 5, 0, "a:").at(0).arg0, 1u);
    NotedHost second_host;
    sim::DeviceLink second(*device, services, second_host);
    second.feed(packet(Command::cnxn, adb::kVersionNoChecksum, 4096, kClientBanner));
    second.feed(packet(Command::open, 5, 0, "a:"));
    EXPECT_EQ(parse_packets(second.out()).at(1).arg0, 2u);
    EXPECT_EQ(send(Command::open, 6, 0, "a:").at(0).arg0, 3u);
}

TEST_F(DeviceLinkTest, AnUnknownServiceIsRefusedWithZero) {
    make();
    online();
    EXPECT_THAT(send(Command::open, 5, 0, "unknown:"), ElementsAre(Sent{"CLSE", 0, 5, ""}));
    EXPECT_EQ(link->streams(), 0u);
}

TEST_F(DeviceLinkTest, OpenWithNumberZeroIsIgnored) {
    make();
    online();
    EXPECT_THAT(send(Command::open, 0, 0, "shell:true"), IsEmpty());
}

TEST_F(DeviceLinkTest, WithoutDelayedAckTheSecondArgumentOfOpenMustBeZero) {
    make();
    online();
    EXPECT_THAT(send(Command::open, 5, 4096, "shell:true"), ElementsAre(Sent{"CLSE", 0, 5, ""}));
}

TEST_F(DeviceLinkTest, WithoutDelayedAckOneWriteIsInFlight) {
    make();
    online();
    send(Command::open, 5, 0, "shell:true");
    EXPECT_TRUE(service().port.can_write());
    service().port.write(as_bytes("one"));
    EXPECT_FALSE(service().port.can_write());
    EXPECT_THAT(sent(), ElementsAre(Sent{"WRTE", 1, 5, "one"}));
    EXPECT_THAT(send(Command::okay, 5, 1), IsEmpty());
    EXPECT_TRUE(service().port.can_write());
    EXPECT_EQ(service().can_write, 1);
}

TEST_F(DeviceLinkTest, DelayedAckNeedsAWindowInOpenAndGrants32MebibytesInTheFirstOkay) {
    make();
    online(kDelayedClientBanner);
    EXPECT_THAT(send(Command::open, 5, 0, "shell:true"), ElementsAre(Sent{"CLSE", 0, 5, ""}));
    EXPECT_THAT(send(Command::open, 5, 100, "shell:true"), ElementsAre(Sent{"OKAY", 1, 5, le32(32 * 1024 * 1024)}));
}

TEST_F(DeviceLinkTest, DelayedAckCountsBytesBothWays) {
    make();
    online(kDelayedClientBanner);
    send(Command::open, 5, 100, "shell:true");
    service().port.write(as_bytes(std::string(60, 'x')));
    EXPECT_TRUE(service().port.can_write());
    service().port.write(as_bytes(std::string(60, 'x')));  // may pass the window by one payload
    EXPECT_FALSE(service().port.can_write());
    sent();
    send(Command::okay, 5, 1, le32(20));
    EXPECT_FALSE(service().port.can_write());
    send(Command::okay, 5, 1, le32(1));
    EXPECT_TRUE(service().port.can_write());
    EXPECT_THAT(send(Command::wrte, 5, 1, "hello"), ElementsAre(Sent{"OKAY", 1, 5, le32(5)}));
}

TEST_F(DeviceLinkTest, DelayedAckIsUsedOnlyWhenThePhoneHasIt) {
    sim::Profile p = sim::modern_profile();
    std::erase(p.features, "delayed_ack");
    make(std::move(p));
    online(kDelayedClientBanner);
    EXPECT_THAT(send(Command::open, 5, 0, "shell:true"), ElementsAre(Sent{"OKAY", 1, 5, ""}));
}

TEST_F(DeviceLinkTest, BytesOfTheClientAreAcknowledgedWhenTheServiceHasTakenThem) {
    make();
    online();
    send(Command::open, 5, 0, "shell:cat");
    service().take = false;
    EXPECT_THAT(send(Command::wrte, 5, 1, "abc"), IsEmpty());
    EXPECT_EQ(service().data, "abc");
    service().port.taken(3);
    EXPECT_THAT(sent(), ElementsAre(Sent{"OKAY", 1, 5, ""}));
}

TEST_F(DeviceLinkTest, TheCloseFollowsTheLastWriteAndALateOkayIsAnsweredByASecondClose) {
    make();
    online();
    send(Command::open, 5, 0, "shell:true");
    const auto alive = services.all[0];
    alive->port.write(as_bytes("end"));
    alive->port.close();
    EXPECT_THAT(sent(), ElementsAre(Sent{"WRTE", 1, 5, "end"}, Sent{"CLSE", 1, 5, ""}));
    EXPECT_THAT(send(Command::okay, 5, 1), ElementsAre(Sent{"CLSE", 1, 5, ""}));
    EXPECT_THAT(send(Command::clse, 5, 1), IsEmpty());
    EXPECT_EQ(alive->closed, 0);
}

TEST_F(DeviceLinkTest, TheClientsCloseEndsTheServiceAndIsAnswered) {
    make();
    online();
    send(Command::open, 5, 0, "shell:sleep");
    EXPECT_THAT(send(Command::clse, 5, 1), ElementsAre(Sent{"CLSE", 1, 5, ""}));
    EXPECT_EQ(service().closed, 1);
    EXPECT_EQ(link->streams(), 0u);
}

TEST_F(DeviceLinkTest, AnOldPhoneLeavesItsNumberOutOfACloseAndAcceptsThatToo) {
    make(sim::old_profile());
    online();
    send(Command::open, 5, 0, "shell:sleep", true);
    send(Command::open, 6, 0, "shell:sleep", true);
    service(0).port.close();
    EXPECT_THAT(sent(), ElementsAre(Sent{"CLSE", 0, 5, ""}));
    EXPECT_THAT(send(Command::clse, 0, 2, "", true), ElementsAre(Sent{"CLSE", 0, 6, ""}));
    EXPECT_EQ(service(1).closed, 1);
}

TEST_F(DeviceLinkTest, PacketsForStreamsOfNobodyAreIgnoredButAnOkay) {
    make();
    online();
    EXPECT_THAT(send(Command::wrte, 5, 99, "x"), IsEmpty());
    EXPECT_THAT(send(Command::clse, 5, 99), IsEmpty());
    EXPECT_THAT(send(Command::okay, 5, 99), ElementsAre(Sent{"CLSE", 99, 5, ""}));
    EXPECT_THAT(send(Command::okay, 0, 99), IsEmpty());
}

TEST_F(DeviceLinkTest, AStreamIsReachedOnlyWithBothItsNumbers) {
    make();
    online();
    send(Command::open, 5, 0, "shell:cat");
    service().port.write(as_bytes("x"));
    sent();
    EXPECT_THAT(send(Command::okay, 6, 1), IsEmpty());
    EXPECT_FALSE(service().port.can_write());
    send(Command::wrte, 6, 1, "y");
    EXPECT_EQ(service().data, "");
    EXPECT_THAT(send(Command::clse, 6, 1), IsEmpty());
    EXPECT_EQ(service().closed, 0);
}

TEST_F(DeviceLinkTest, AFullQueueStopsTheStreamsAndDrainingWakesThem) {
    make();
    online();
    send(Command::open, 5, 0, "shell:cat");
    host.waiting = sim::DeviceLink::kQueueBytesMax;
    EXPECT_FALSE(service().port.can_write());
    host.waiting = 0;
    link->on_drained();
    EXPECT_EQ(service().can_write, 1);
    EXPECT_TRUE(service().port.can_write());
}

TEST_F(DeviceLinkTest, TooManyStreamsAreRefused) {
    make();
    online();
    for (std::uint32_t i = 1; i <= sim::DeviceLink::kStreamsMax; ++i)
        ASSERT_EQ(send(Command::open, i, 0, "a:").at(0).name, "OKAY");
    EXPECT_THAT(send(Command::open, 5000, 0, "a:"), ElementsAre(Sent{"CLSE", 0, 5000, ""}));
}

TEST_F(DeviceLinkTest, AClientThatIgnoresTheWindowLosesTheConnection) {
    make();
    online();
    send(Command::open, 5, 0, "shell:cat");
    service().take = false;
    for (int i = 0; i < 4 && !host.dropped; ++i) send(Command::wrte, 5, 1, std::string(adb::kMaxPayloadBytes, 'x'));
    EXPECT_TRUE(host.dropped);
}

TEST_F(DeviceLinkTest, TheEndOfTheLinkEndsItsServices) {
    make();
    online();
    send(Command::open, 5, 0, "shell:cat");
    link.reset();
    EXPECT_EQ(service().closed, 1);
}

}  // namespace
}  // namespace drover::test
