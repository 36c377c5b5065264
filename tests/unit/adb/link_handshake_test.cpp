// CNXN and AUTH, byte for byte (rules: AOSP adb.cpp send_connect, transport.cpp, client/auth.cpp).
#include <gmock/gmock.h>

#include "support/fake_adbd.hpp"

namespace drover::test {
namespace {

using adb::Command;
using adb::LinkState;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class LinkHandshake : public LinkFixture {
protected:
    static std::shared_ptr<const adb::KeyRing> ring(std::size_t n) {
        std::vector<adb::PrivateKey> made;
        for (std::size_t i = 0; i < n; ++i) made.push_back(adb::PrivateKey::generate().value());
        return std::make_shared<adb::KeyRing>(std::move(made));
    }
    Result<void> token(char fill) { return feed(Command::auth, 1, 0, std::string(adb::kTokenBytes, fill), true); }
};

TEST_F(LinkHandshake, CnxnCarriesARealChecksumAlthoughItAnnouncesNone) {
    link = std::make_unique<adb::Link>(options(), noted);
    link->start();
    const auto all = sent();
    ASSERT_EQ(all.size(), 1u);
    EXPECT_EQ(all[0].name, "CNXN");
    EXPECT_EQ(all[0].arg0, 0x01000001u);
    EXPECT_EQ(all[0].arg1, 1024u * 1024u);
    EXPECT_THAT(all[0].payload, ::testing::StartsWith("host::features="));
    EXPECT_THAT(all[0].payload, ::testing::Not(HasSubstr("delayed_ack")));
    EXPECT_EQ(all[0].check, adb::checksum(as_bytes(all[0].payload)));
    EXPECT_NE(all[0].check, 0u);
}

TEST_F(LinkHandshake, ModernPhone) {
    online();
    EXPECT_THAT(noted.states, ElementsAre(LinkState::online));
    EXPECT_EQ(link->peer().version, 0x01000001u);
    EXPECT_EQ(link->peer().banner.model, "Sim");
    EXPECT_TRUE(link->peer().features.has("shell_v2"));
    NotedStream s;
    ASSERT_TRUE(link->open("shell:x", s));
    EXPECT_EQ(sent().at(0).check, 0u);  // no sums from here on
}

// No phone needs that much; it is one phone's error, and nothing of it is kept.
TEST_F(LinkHandshake, SixtyFourKiBOfPropertiesEndThatLink) {
    make(options());
    std::string banner = "device::";
    while (banner.size() < 64 * 1024) banner += "ro.junk." + std::to_string(banner.size()) + "=x;";
    const auto fed = feed(Command::cnxn, adb::kVersionNoChecksum, adb::kMaxPayloadBytes, banner, true);
    ASSERT_FALSE(fed);
    EXPECT_EQ(fed.error().code, Code::protocol_error);
}

// The most that may come: what belongs to us is found among it, and little of the rest is kept.
TEST_F(LinkHandshake, AsManyPropertiesAsACnxnHolds) {
    std::string banner =
        "device::ro.product.model=Sim;ro.product.name=" + std::string(1'000, 'n') + ";features=shell_v2";
    while (banner.size() < 4'000) banner += ",f" + std::to_string(banner.size());
    online(banner);
    EXPECT_EQ(link->peer().banner.model, "Sim");
    EXPECT_EQ(link->peer().banner.product.size(), 256u);
    EXPECT_LE(link->peer().banner.features.join().size(), 1024u);
    EXPECT_TRUE(link->peer().features.has("shell_v2"));
}

TEST_F(LinkHandshake, ModernPhoneMaySendItsCnxnWithoutASum) {
    make(options());
    ASSERT_TRUE(feed(Command::cnxn, adb::kVersionNoChecksum, 4096, kModernBanner, false));
    EXPECT_EQ(link->state(), LinkState::online);
}

TEST_F(LinkHandshake, OldPhoneGetsSumsAndItsOwnAreChecked) {
    online(kOldBanner, adb::kVersionChecksum, 4096);
    EXPECT_EQ(link->peer().version, adb::kVersionChecksum);
    EXPECT_EQ(link->peer().max_payload, 4096u);
    EXPECT_TRUE(link->peer().features.empty());
    NotedStream s;
    ASSERT_TRUE(link->open("shell:x", s));
    const auto open = sent().at(0);
    EXPECT_EQ(open.check, adb::checksum(as_bytes(open.payload)));
    ASSERT_TRUE(feed(Command::okay, 70, 1));
    ASSERT_TRUE(feed(Command::wrte, 70, 1, "good", true));
    const auto r = feed(Command::wrte, 70, 1, "bad!", false);
    ASSERT_FALSE(r);
    EXPECT_EQ(r.error().code, Code::protocol_error);
    EXPECT_THAT(r.error().message, HasSubstr("checksum"));
}

TEST_F(LinkHandshake, OldPhoneWithAWrongSumInCnxn) {
    make(options());
    EXPECT_FALSE(feed(Command::cnxn, adb::kVersionChecksum, 4096, kOldBanner, false));
}

TEST_F(LinkHandshake, SumsOfAModernPhoneAreNotLookedAt) {
    online();
    NotedStream s;
    ASSERT_TRUE(link->open("shell:x", s));
    ASSERT_TRUE(feed(Command::okay, 70, 1));
    auto bytes = packet(Command::wrte, 70, 1, "data");
    bytes[16] = 99;
    EXPECT_TRUE(link->feed(bytes));
    EXPECT_EQ(s.data, "data");
}

TEST_F(LinkHandshake, BrokenAnnouncementsEndTheLink) {
    make(options());
    EXPECT_THAT(feed(Command::cnxn, 0x00ffffff, 4096, "device::", true).error().message, HasSubstr("version"));
    make(options());
    EXPECT_THAT(feed(Command::cnxn, adb::kVersionNoChecksum, 10, "device::").error().message, HasSubstr("10 bytes"));
    make(options());
    EXPECT_THAT(feed(Command::cnxn, adb::kVersionNoChecksum, 4096, std::string(5000, 'x')).error().message,
                HasSubstr("5000"));
}

TEST_F(LinkHandshake, NothingOpensBeforeCnxn) {
    make(options());
    NotedStream s;
    EXPECT_EQ(link->open("shell:x", s).error().code, Code::link_lost);
    ASSERT_TRUE(feed(Command::wrte, 1, 1, "x"));
    ASSERT_TRUE(feed(Command::okay, 1, 1));
    ASSERT_TRUE(feed(Command::open, 1, 0, "x"));
    EXPECT_THAT(sent(), IsEmpty());
}

TEST_F(LinkHandshake, EveryKeyIsTriedThenThePublicKeySent) {
    keys = ring(2);
    make(options());
    ASSERT_TRUE(token('a'));
    auto all = sent();
    ASSERT_EQ(all.size(), 1u);
    EXPECT_EQ(all[0].name, "AUTH");
    EXPECT_EQ(all[0].arg0, 2u);
    EXPECT_EQ(all[0].payload.size(), 256u);
    EXPECT_EQ(all[0].check, adb::checksum(as_bytes(all[0].payload)));
    EXPECT_TRUE(adb::verify_signature(keys->keys()[0].public_key_line(), as_bytes(std::string(20, 'a')),
                                      as_bytes(all[0].payload)));
    ASSERT_TRUE(token('b'));
    all = sent();
    EXPECT_TRUE(adb::verify_signature(keys->keys()[1].public_key_line(), as_bytes(std::string(20, 'b')),
                                      as_bytes(all.at(0).payload)));
    ASSERT_TRUE(token('c'));
    all = sent();
    ASSERT_EQ(all.size(), 1u);
    EXPECT_EQ(all[0].arg0, 3u);
    EXPECT_EQ(all[0].payload, keys->keys()[0].public_key_line() + '\0');
    EXPECT_THAT(noted.states, ElementsAre(LinkState::authorizing, LinkState::unauthorized));
    // A person accepts it.
    ASSERT_TRUE(feed(Command::cnxn, adb::kVersionNoChecksum, 4096, kModernBanner, true));
    EXPECT_EQ(link->state(), LinkState::online);
    EXPECT_THAT(noted.accepted, ElementsAre(keys->keys()[0].fingerprint()));
}

TEST_F(LinkHandshake, TheRememberedKeyGoesFirst) {
    keys = ring(2);
    auto o = options();
    o.accepted_key = keys->keys()[1].fingerprint();
    make(o);
    ASSERT_TRUE(token('a'));
    EXPECT_TRUE(adb::verify_signature(keys->keys()[1].public_key_line(), as_bytes(std::string(20, 'a')),
                                      as_bytes(sent().at(0).payload)));
    ASSERT_TRUE(feed(Command::cnxn, adb::kVersionNoChecksum, 4096, kModernBanner, true));
    EXPECT_THAT(noted.accepted, ElementsAre(keys->keys()[1].fingerprint()));
}

TEST_F(LinkHandshake, WithoutKeysThePhoneIsUnauthorizedAtOnce) {
    make(options());
    ASSERT_TRUE(token('a'));
    EXPECT_THAT(noted.states, ElementsAre(LinkState::unauthorized));
    EXPECT_THAT(sent(), IsEmpty());
}

TEST_F(LinkHandshake, TokensForEverAreAFlood) {
    make(options());
    Result<void> r;
    std::uint32_t n = 0;
    for (; r && n < 2 * adb::Link::kStrayPacketsMax; ++n) r = token('a');
    ASSERT_FALSE(r);
    EXPECT_EQ(r.error().code, Code::flood);
    EXPECT_LE(n, adb::Link::kStrayPacketsMax + 2);
}

TEST_F(LinkHandshake, ATokenOfAnotherSizeBreaksTheProtocol) {
    keys = ring(1);
    make(options());
    EXPECT_EQ(feed(Command::auth, 1, 0, "short", true).error().code, Code::protocol_error);
}

TEST_F(LinkHandshake, StlsSaysWhatToDo) {
    make(options());
    const auto r = feed(Command::stls, adb::kStlsVersion, 0);
    ASSERT_FALSE(r);
    EXPECT_EQ(r.error().code, Code::wants_tls);
    EXPECT_EQ(r.error().message, "wants wireless-debugging TLS: use `adb tcpip 5555`, or `via: server`");
}

TEST_F(LinkHandshake, DelayedAckNeedsBothSides) {
    online(kModernBanner, adb::kVersionNoChecksum, adb::kMaxPayloadBytes, true);
    NotedStream s;
    ASSERT_TRUE(link->open("shell:x", s));
    EXPECT_EQ(sent().at(0).arg1, 0u);
    online(kDelayedAckBanner, adb::kVersionNoChecksum, adb::kMaxPayloadBytes, false);
    ASSERT_TRUE(link->open("shell:x", s));
    EXPECT_EQ(sent().at(0).arg1, 0u);
}

}  // namespace
}  // namespace drover::test
