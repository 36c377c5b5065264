// Streams on one link, byte for byte (rules: AOSP adb.cpp, sockets.cpp; docs/dev/protocol.md, delayed_ack.md).
#include "stream_fixture.hpp"

namespace drover::test {
namespace {

using adb::Command;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class LinkStreams : public StreamFixture {};

TEST_F(LinkStreams, OpenSendsTheServiceWithNulAndNoWindow) {
    online();
    EXPECT_EQ(link->open("shell:true", stream).value(), 1u);
    EXPECT_THAT(sent(), ElementsAre(Sent{"OPEN", 1, 0, std::string("shell:true\0", 11)}));
    EXPECT_EQ(stream.opened, 0);
    ASSERT_TRUE(feed(Command::okay, 70, 1));
    EXPECT_EQ(stream.opened, 1);
    EXPECT_THAT(sent(), IsEmpty());
}

TEST_F(LinkStreams, IdsGrowAndAreNotReused) {
    online();
    open_one();
    link->close(1);
    EXPECT_EQ(link->open("shell:y", other).value(), 2u);
}

TEST_F(LinkStreams, EveryWriteIsAcknowledgedOnce) {
    online();
    open_one();
    ASSERT_TRUE(feed(Command::wrte, 70, 1, "hello"));
    EXPECT_EQ(stream.data, "hello");
    EXPECT_THAT(sent(), ElementsAre(Sent{"OKAY", 1, 70, ""}));
}

TEST_F(LinkStreams, TornWriteIsPassedOnInPiecesAndAcknowledgedAtItsEnd) {
    online();
    open_one();
    const auto bytes = packet(Command::wrte, 70, 1, "hello");
    ASSERT_TRUE(link->feed(ByteView(bytes).first(26)));
    EXPECT_EQ(stream.data, "he");
    EXPECT_THAT(sent(), IsEmpty());
    ASSERT_TRUE(link->feed(ByteView(bytes).subspan(26)));
    EXPECT_EQ(stream.data, "hello");
    EXPECT_THAT(sent(), ElementsAre(Sent{"OKAY", 1, 70, ""}));
}

TEST_F(LinkStreams, LaterHoldsTheAcknowledgementBack) {
    online();
    open_one();
    stream.answer = adb::Ack::later;
    ASSERT_TRUE(feed(Command::wrte, 70, 1, "hello"));
    EXPECT_THAT(sent(), IsEmpty());
    link->acknowledge(1);
    EXPECT_THAT(sent(), ElementsAre(Sent{"OKAY", 1, 70, ""}));
    link->acknowledge(1);
    EXPECT_THAT(sent(), IsEmpty());
}

TEST_F(LinkStreams, AcknowledgedInsideThePacketMeansAckAtItsEnd) {
    online();
    open_one();
    stream.answer = adb::Ack::later;
    const auto bytes = packet(Command::wrte, 70, 1, "hello");
    ASSERT_TRUE(link->feed(ByteView(bytes).first(26)));
    link->acknowledge(1);
    stream.answer = adb::Ack::now;
    ASSERT_TRUE(link->feed(ByteView(bytes).subspan(26)));
    EXPECT_THAT(sent(), ElementsAre(Sent{"OKAY", 1, 70, ""}));
}

TEST_F(LinkStreams, ClosedByThePhoneIsAnsweredByClse) {
    online();
    open_one();
    ASSERT_TRUE(feed(Command::clse, 70, 1));
    EXPECT_EQ(stream.closed, 1);
    EXPECT_FALSE(stream.why);
    EXPECT_THAT(sent(), ElementsAre(Sent{"CLSE", 1, 70, ""}));
    // The second CLSE of a modern daemon is for a stream that is gone, and is not answered.
    ASSERT_TRUE(feed(Command::clse, 70, 1));
    EXPECT_THAT(sent(), IsEmpty());
    EXPECT_EQ(stream.closed, 1);
}

TEST_F(LinkStreams, OldDaemonsCloseWithZero) {
    online(kOldBanner, adb::kVersionChecksum, 4096);
    open_one();
    ASSERT_TRUE(feed(Command::clse, 0, 1));
    EXPECT_EQ(stream.closed, 1);
    EXPECT_FALSE(stream.why);
}

TEST_F(LinkStreams, ClseBeforeOkayIsARefusal) {
    online();
    ASSERT_TRUE(link->open("nope:", stream));
    (void)sent();
    ASSERT_TRUE(feed(Command::clse, 0, 1));
    ASSERT_TRUE(stream.why);
    EXPECT_EQ(stream.why->code, Code::refused);
    EXPECT_THAT(sent(), IsEmpty());
}

TEST_F(LinkStreams, ClosingInsideTheLastWriteSendsOkayAndClseTogether) {
    online();
    open_one();
    stream.at_data = [&] { link->close(1); };
    ASSERT_TRUE(feed(Command::wrte, 70, 1, "exit"));
    EXPECT_THAT(sent(), ElementsAre(Sent{"OKAY", 1, 70, ""}, Sent{"CLSE", 1, 70, ""}));
    ASSERT_TRUE(feed(Command::clse, 70, 1));
    EXPECT_EQ(stream.closed, 0);  // close() promised silence
}

TEST_F(LinkStreams, NextOpenLeavesWithTheAnswersOfTheSameRead) {
    online();
    open_one();
    stream.at_data = [&] {
        link->close(1);
        ASSERT_TRUE(link->open("shell:y", other));
    };
    noted.outputs = 0;
    ASSERT_TRUE(feed(Command::wrte, 70, 1, "exit"));
    EXPECT_EQ(noted.outputs, 0);  // the driver flushes once, after feed()
    EXPECT_THAT(sent(), ::testing::UnorderedElementsAre(Sent{"OKAY", 1, 70, ""}, Sent{"CLSE", 1, 70, ""},
                                                        Sent{"OPEN", 2, 0, std::string("shell:y\0", 8)}));
}

TEST_F(LinkStreams, OutsideFeedTheDriverIsToldOfOutput) {
    online();
    noted.outputs = 0;
    ASSERT_TRUE(link->open("shell:x", stream));
    EXPECT_EQ(noted.outputs, 1);
}

TEST_F(LinkStreams, ServiceLongerThanThePhoneTakesIsRefusedHere) {
    online(kOldBanner, adb::kVersionChecksum, 4096);
    EXPECT_TRUE(link->open(std::string(4095, 'x'), stream));
    const auto r = link->open(std::string(4096, 'x'), other);
    ASSERT_FALSE(r);
    EXPECT_EQ(r.error().code, Code::command_too_long);
    EXPECT_THAT(r.error().message, ::testing::HasSubstr("4096"));
}

TEST_F(LinkStreams, ManyStreamsOnOneLinkKeepApart) {
    online();
    std::vector<NotedStream> streams(adb::Link::kStreamsMax);
    for (std::size_t i = 0; i < streams.size(); ++i) ASSERT_TRUE(link->open("shell:x", streams[i]));
    EXPECT_EQ(link->open("shell:x", other).error().code, Code::out_of_resources);
    for (std::uint32_t i = 0; i < streams.size(); ++i) ASSERT_TRUE(feed(Command::okay, 1000 + i, i + 1));
    for (std::uint32_t i = 0; i < streams.size(); i += 2) ASSERT_TRUE(feed(Command::clse, 1000 + i, i + 1));
    for (std::uint32_t i = 1; i < streams.size(); i += 2)
        ASSERT_TRUE(feed(Command::wrte, 1000 + i, i + 1, std::to_string(i)));
    for (std::size_t i = 0; i < streams.size(); ++i) {
        EXPECT_EQ(streams[i].closed, i % 2 == 0 ? 1 : 0);
        EXPECT_EQ(streams[i].data, i % 2 == 0 ? "" : std::to_string(i));
    }
}

TEST_F(LinkStreams, ShutTellsEveryStreamOnceAlsoWhenOneClosesAnother) {
    online();
    ASSERT_TRUE(link->open("shell:x", stream));
    ASSERT_TRUE(link->open("shell:y", other));
    other.at_close = [&] { link->close(1); };
    link->shut(Error(Code::link_lost, "gone"));
    EXPECT_EQ(other.closed, 1);
    EXPECT_EQ(stream.closed, 0);
    EXPECT_EQ(link->open("shell:z", stream).error().code, Code::link_lost);
}

TEST_F(LinkStreams, SecondCnxnDropsEveryStreamAndStartsAnew) {
    online();
    open_one();
    ASSERT_TRUE(feed(Command::cnxn, adb::kVersionNoChecksum, 4096, "recovery::", true));
    ASSERT_TRUE(stream.why);
    EXPECT_EQ(stream.why->code, Code::link_lost);
    EXPECT_EQ(link->state(), adb::LinkState::online);
    EXPECT_EQ(link->peer().banner.state, adb::AdbState::recovery);
    EXPECT_TRUE(link->peer().features.empty());
    EXPECT_EQ(link->peer().max_payload, 4096u);
    EXPECT_EQ(link->open("shell:x", other).value(), 2u);
}

}  // namespace
}  // namespace drover::test
