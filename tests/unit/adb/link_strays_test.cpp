// Packets that belong to no stream, or come too late or too early: ignored, answered, or a flood (AOSP adb.cpp, sockets.cpp).
#include "stream_fixture.hpp"

namespace drover::test {
namespace {

using adb::Command;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class LinkStrays : public StreamFixture {};

TEST_F(LinkStrays, OkayForAnOpenThatWasGivenUpIsAnsweredByClse) {
    online();
    ASSERT_TRUE(link->open("shell:slow", stream));
    (void)sent();
    link->close(1);
    EXPECT_THAT(sent(), IsEmpty());  // there is no remote id to close yet
    ASSERT_TRUE(feed(Command::okay, 70, 1));
    EXPECT_THAT(sent(), ElementsAre(Sent{"CLSE", 1, 70, ""}));
    EXPECT_EQ(stream.opened, 0);
}

TEST_F(LinkStrays, OkayForADroppedStreamIsAnsweredByClse) {
    online();
    open_one();
    link->close(1);
    (void)sent();
    ASSERT_TRUE(feed(Command::okay, 70, 1));
    EXPECT_THAT(sent(), ElementsAre(Sent{"CLSE", 1, 70, ""}));
}

TEST_F(LinkStrays, LateWriteAndCloseAreIgnored) {
    online();
    open_one();
    link->close(1);
    (void)sent();
    ASSERT_TRUE(feed(Command::wrte, 70, 1, "late"));
    ASSERT_TRUE(feed(Command::clse, 70, 1));
    EXPECT_THAT(sent(), IsEmpty());
    EXPECT_EQ(stream.data, "");
}

TEST_F(LinkStrays, WriteWithAForeignRemoteIdIsIgnored) {
    online();
    open_one();
    ASSERT_TRUE(feed(Command::wrte, 71, 1, "forged"));
    ASSERT_TRUE(feed(Command::clse, 71, 1));
    EXPECT_EQ(stream.data, "");
    EXPECT_EQ(stream.closed, 0);
    EXPECT_THAT(sent(), IsEmpty());
}

TEST_F(LinkStrays, WriteBeforeOkayIsIgnored) {
    online();
    ASSERT_TRUE(link->open("shell:x", stream));
    (void)sent();
    ASSERT_TRUE(feed(Command::wrte, 0, 1, "early"));
    EXPECT_EQ(stream.data, "");
}

TEST_F(LinkStrays, StrayOpenIsRefusedAndEndsNothing) {
    online();
    open_one();
    ASSERT_TRUE(feed(Command::open, 9, 0, std::string("tcp:1234\0", 9)));
    EXPECT_THAT(sent(), ElementsAre(Sent{"CLSE", 0, 9, ""}));
    ASSERT_TRUE(feed(Command::wrte, 70, 1, "still here"));
    EXPECT_EQ(stream.data, "still here");
}

TEST_F(LinkStrays, UnknownPacketIsIgnored) {
    online();
    ASSERT_TRUE(feed(static_cast<Command>(0x41414141), 1, 2, "payload"));
    EXPECT_THAT(sent(), IsEmpty());
}

TEST_F(LinkStrays, AFloodOfStraysEndsTheLink) {
    online();
    open_one();
    for (std::uint32_t i = 0; i < adb::Link::kStrayPacketsMax; ++i) ASSERT_TRUE(feed(Command::clse, 5, 5)) << i;
    const auto r = feed(Command::clse, 5, 5);
    ASSERT_FALSE(r);
    EXPECT_EQ(r.error().code, Code::flood);
    link->shut(r.error());
    ASSERT_TRUE(stream.why);
    EXPECT_EQ(stream.why->code, Code::flood);
}

TEST_F(LinkStrays, AUsefulPacketForgivesTheStraysBeforeIt) {
    online();
    open_one();
    for (int round = 0; round < 3; ++round) {
        for (std::uint32_t i = 0; i < adb::Link::kStrayPacketsMax; ++i) ASSERT_TRUE(feed(Command::clse, 5, 5));
        ASSERT_TRUE(feed(Command::wrte, 70, 1, "x"));
    }
}

TEST_F(LinkStrays, AnswersToAbandonedOpensAreNoStraysButOnlyOnce) {
    online();
    for (std::uint32_t i = 1; i <= 2000; ++i) {
        ASSERT_TRUE(link->open("shell:x", stream));
        link->close(i);
    }
    (void)sent();
    // The newest are remembered, refused or accepted; the rest count.
    for (std::uint32_t i = 977; i <= 1500; ++i) ASSERT_TRUE(feed(Command::okay, 70, i));
    for (std::uint32_t i = 1501; i <= 2000; ++i) ASSERT_TRUE(feed(Command::clse, 0, i));
    for (std::uint32_t i = 0; i < adb::Link::kStrayPacketsMax; ++i) ASSERT_TRUE(feed(Command::clse, 0, 1999)) << i;
    EXPECT_FALSE(feed(Command::clse, 0, 2000));
}

}  // namespace
}  // namespace drover::test
