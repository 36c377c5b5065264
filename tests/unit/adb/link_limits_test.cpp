// What both sides agreed on bounds every packet, and one stream never holds up another (AOSP transport.cpp, adb.cpp).
#include <gmock/gmock.h>

#include "support/fake_adbd.hpp"

namespace drover::test {
namespace {

using adb::Command;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class LinkLimits : public LinkFixture {
protected:
    NotedStream stream, other;
};

TEST_F(LinkLimits, AWriteOverTheAgreedPayloadEndsTheLink) {
    constexpr std::uint32_t kAgreed = 8192;
    online(kModernBanner, adb::kVersionNoChecksum, kAgreed);
    ASSERT_TRUE(link->open("shell:x", stream));
    ASSERT_TRUE(feed(Command::okay, 70, 1));
    ASSERT_TRUE(feed(Command::wrte, 70, 1, std::string(kAgreed, 'x')));
    EXPECT_EQ(stream.data.size(), kAgreed);
    const auto over = feed(Command::wrte, 70, 1, std::string(kAgreed + 1, 'x'));
    ASSERT_FALSE(over);
    EXPECT_EQ(over.error().code, Code::protocol_error);
}

TEST_F(LinkLimits, AnOkayFromStreamZeroOpensNothing) {
    online();
    ASSERT_TRUE(link->open("shell:x", stream));
    (void)sent();
    ASSERT_TRUE(feed(Command::okay, 0, 1));
    EXPECT_EQ(stream.opened, 0);
    EXPECT_THAT(sent(), IsEmpty());
    ASSERT_TRUE(feed(Command::okay, 70, 1));
    EXPECT_EQ(stream.opened, 1);
}

TEST_F(LinkLimits, AStreamHeldBackDoesNotStopAnother) {
    online();
    ASSERT_TRUE(link->open("shell:x", stream));
    ASSERT_TRUE(link->open("shell:y", other));
    ASSERT_TRUE(feed(Command::okay, 70, 1));
    ASSERT_TRUE(feed(Command::okay, 71, 2));
    (void)sent();
    stream.answer = adb::Ack::later;
    ASSERT_TRUE(feed(Command::wrte, 70, 1, "held"));
    for (int i = 0; i < 3; ++i) {
        ASSERT_TRUE(feed(Command::wrte, 71, 2, "flows"));
        EXPECT_THAT(sent(), ElementsAre(Sent{"OKAY", 2, 71, ""}));
    }
    EXPECT_EQ(other.data, "flowsflowsflows");
    link->acknowledge(1);
    EXPECT_THAT(sent(), ElementsAre(Sent{"OKAY", 1, 70, ""}));
}

}  // namespace
}  // namespace drover::test
