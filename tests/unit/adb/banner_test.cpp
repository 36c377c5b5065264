#include "adb/banner.hpp"

#include <gtest/gtest.h>

namespace drover::adb {
namespace {

TEST(Banner, ReadsAModernOne) {
    const auto b = parse_banner(
        "device::ro.product.name=sdk;ro.product.model=Pixel "
        "8;ro.product.device=shiba;features=shell_v2,cmd,delayed_ack");
    EXPECT_EQ(b.state, AdbState::device);
    EXPECT_EQ(b.product, "sdk");
    EXPECT_EQ(b.model, "Pixel 8");
    EXPECT_EQ(b.device, "shiba");
    EXPECT_TRUE(b.features.has("shell_v2"));
    EXPECT_TRUE(b.features.has("delayed_ack"));
    EXPECT_FALSE(b.features.has("shell"));
    EXPECT_EQ(b.features.join(), "cmd,delayed_ack,shell_v2");
}

TEST(Banner, ReadsAnOldOneWithNulAndLastSemicolon) {
    using namespace std::string_view_literals;
    const auto b = parse_banner("device::ro.product.name=n;ro.product.model=m;ro.product.device=d;\0"sv);
    EXPECT_EQ(b.device, "d");
    EXPECT_TRUE(b.features.empty());
}

TEST(Banner, TypeWords) {
    EXPECT_EQ(parse_banner("recovery::").state, AdbState::recovery);
    EXPECT_EQ(parse_banner("sideload::").state, AdbState::sideload);
    EXPECT_EQ(parse_banner("rescue::").state, AdbState::rescue);
    EXPECT_EQ(parse_banner("bootloader::").state, AdbState::bootloader);
    // Only these five may be said by a phone; "offline" or "unauthorized" in a banner must not read as a state.
    for (const auto* text :
         {"offline::", "unauthorized::", "host::", "Device::", "device2::", "", ":", "::", "\xff\xff::"}) {
        EXPECT_EQ(parse_banner(text).state, AdbState::host) << text;
    }
}

TEST(Banner, HostileTextIsLeftOut) {
    const auto b = parse_banner("device:ser:=;;==;=x;features;ro.product.model=a=b:c;junk;features=,,a,,a,b,");
    EXPECT_EQ(b.state, AdbState::device);
    EXPECT_EQ(b.model, "a=b:c");
    EXPECT_EQ(b.features.join(), "a,b");
    EXPECT_EQ(parse_banner("device").state, AdbState::device);
    EXPECT_EQ(parse_banner("device:x").state, AdbState::device);
}

TEST(Banner, TheLastFeaturesWin) { EXPECT_TRUE(parse_banner("device::features=a;features=").features.empty()); }

TEST(Features, Intersect) {
    const auto both = Features::parse("b,a,c").intersect(Features::parse("c,d,b"));
    EXPECT_EQ(both.join(), "b,c");
    EXPECT_TRUE(both.intersect({}).empty());
}

TEST(Features, HostOffersDelayedAckOnlyWhenAsked) {
    EXPECT_TRUE(host_features(true).has("delayed_ack"));
    EXPECT_FALSE(host_features(false).has("delayed_ack"));
    for (const auto* name : {"shell_v2", "cmd", "stat_v2", "abb_exec", "sendrecv_v2_zstd"}) {
        EXPECT_TRUE(host_features(false).has(name)) << name;
    }
    EXPECT_EQ(host_banner(Features::parse("shell_v2,cmd")), "host::features=cmd,shell_v2");
}

TEST(AdbState, WordsBothWays) {
    for (int i = 1; i <= 12; ++i) {
        const auto state = static_cast<AdbState>(i);
        EXPECT_EQ(parse_adb_state(to_string(state)), state);
        EXPECT_EQ(takes_commands(state), state == AdbState::device || state == AdbState::recovery);
    }
    EXPECT_EQ(parse_adb_state("no permissions (user in plugdev group); see [http://x]"), AdbState::no_permissions);
    EXPECT_EQ(parse_adb_state("disconnected"), AdbState::offline);
    EXPECT_EQ(parse_adb_state(""), AdbState::offline);
}

// They go into JSON and onto terminals.
TEST(Banner, NamesThatAreNotUtf8AreMadeSo) {
    const auto banner =
        parse_banner("device::ro.product.name=a\xff;ro.product.model=\xc3;ro.product.device=\xe2\x82\xac;");
    EXPECT_EQ(banner.product, "a\xef\xbf\xbd");
    EXPECT_EQ(banner.model, "\xef\xbf\xbd");
    EXPECT_EQ(banner.device, "\xe2\x82\xac");
}

}  // namespace
}  // namespace drover::adb
