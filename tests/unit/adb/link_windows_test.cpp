// How much may be under way on a stream, with and without delayed_ack, byte for byte (docs/dev/delayed_ack.md).
#include "stream_fixture.hpp"

namespace drover::test {
namespace {

using adb::Command;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class LinkWindows : public StreamFixture {};

TEST_F(LinkWindows, OneWriteInFlightWithoutDelayedAck) {
    online(kModernBanner, adb::kVersionNoChecksum, 64);
    open_one();
    const std::string big(100, 'x');
    link->write(1, as_bytes(big));
    EXPECT_THAT(sent(), ElementsAre(Sent{"WRTE", 1, 70, std::string(64, 'x')}));
    ASSERT_TRUE(feed(Command::okay, 70, 1));
    EXPECT_THAT(sent(), ElementsAre(Sent{"WRTE", 1, 70, std::string(36, 'x')}));
    EXPECT_EQ(stream.writable, 1);
}

TEST_F(LinkWindows, WrittenBeforeOkayWaitsForIt) {
    online();
    ASSERT_TRUE(link->open("shell:cat", stream));
    (void)sent();
    link->write(1, as_bytes("in"));
    EXPECT_THAT(sent(), IsEmpty());
    ASSERT_TRUE(feed(Command::okay, 70, 1));
    EXPECT_THAT(sent(), ElementsAre(Sent{"WRTE", 1, 70, "in"}));
}

TEST_F(LinkWindows, DelayedAckAgreesWindowsAndCounts) {
    online(kDelayedAckBanner, adb::kVersionNoChecksum, adb::kMaxPayloadBytes, true);
    ASSERT_TRUE(link->open("shell:x", stream));
    EXPECT_THAT(sent(), ElementsAre(Sent{"OPEN", 1, 256 * 1024, std::string("shell:x\0", 8)}));
    ASSERT_TRUE(feed(Command::okay, 70, 1, std::string("\x03\0\0\0", 4)));
    ASSERT_TRUE(feed(Command::wrte, 70, 1, "hello"));
    ASSERT_TRUE(feed(Command::wrte, 70, 1, "more"));
    EXPECT_THAT(sent(), ElementsAre(Sent{"OKAY", 1, 70, std::string("\x05\0\0\0", 4)},
                                    Sent{"OKAY", 1, 70, std::string("\x04\0\0\0", 4)}));
    link->write(1, as_bytes("abcdef"));
    EXPECT_THAT(sent(), ElementsAre(Sent{"WRTE", 1, 70, "abc"}));
    ASSERT_TRUE(feed(Command::okay, 70, 1, std::string("\xfe\xff\xff\xff", 4)));  // minus two: no room
    EXPECT_THAT(sent(), IsEmpty());
    ASSERT_TRUE(feed(Command::okay, 70, 1, std::string("\x07\0\0\0", 4)));
    EXPECT_THAT(sent(), ElementsAre(Sent{"WRTE", 1, 70, "def"}));
}

TEST_F(LinkWindows, DelayedAckSumsUpWhatWasHeldBack) {
    online(kDelayedAckBanner, adb::kVersionNoChecksum, adb::kMaxPayloadBytes, true);
    open_one(std::string("\0\0\1\0", 4));
    stream.answer = adb::Ack::later;
    ASSERT_TRUE(feed(Command::wrte, 70, 1, "hello"));
    ASSERT_TRUE(feed(Command::wrte, 70, 1, "more"));
    EXPECT_THAT(sent(), IsEmpty());
    link->acknowledge(1);
    EXPECT_THAT(sent(), ElementsAre(Sent{"OKAY", 1, 70, std::string("\x09\0\0\0", 4)}));
}

TEST_F(LinkWindows, APhoneThatSendsPastItsWindowBreaksTheProtocol) {
    online(kDelayedAckBanner, adb::kVersionNoChecksum, 65536, true);
    open_one(std::string("\0\0\1\0", 4));
    stream.answer = adb::Ack::later;
    const std::string piece(65536, 'x');
    // The window of 256 KiB, and one payload more.
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(feed(Command::wrte, 70, 1, piece)) << i;
    const auto r = feed(Command::wrte, 70, 1, "x");
    ASSERT_FALSE(r);
    EXPECT_EQ(r.error().code, Code::protocol_error);
}

TEST_F(LinkWindows, ASecondWriteBeforeTheOkayBreaksTheProtocol) {
    online();
    open_one();
    stream.answer = adb::Ack::later;
    ASSERT_TRUE(feed(Command::wrte, 70, 1, "one"));
    EXPECT_EQ(feed(Command::wrte, 70, 1, "two").error().code, Code::protocol_error);
}

TEST_F(LinkWindows, DelayedAckWithoutACountBreaksTheProtocol) {
    online(kDelayedAckBanner, adb::kVersionNoChecksum, adb::kMaxPayloadBytes, true);
    ASSERT_TRUE(link->open("shell:x", stream));
    const auto r = feed(Command::okay, 70, 1);
    ASSERT_FALSE(r);
    EXPECT_EQ(r.error().code, Code::protocol_error);
}

}  // namespace
}  // namespace drover::test
