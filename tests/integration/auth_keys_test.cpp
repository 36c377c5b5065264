// drover's keys against Debian's adb: each must read and print what the other made.
#include <gtest/gtest.h>

#include "adb/auth.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"

namespace drover::adb {
namespace {

test::Finished adb(const test::TempDir& home, std::vector<std::string> args) {
    test::ProcessOptions options;
    options.argv = std::move(args);
    options.argv.insert(options.argv.begin(), "adb");
    options.env = {{"HOME", home.path().string()}, {"ADB_VENDOR_KEYS", std::nullopt}};
    return test::run(std::move(options));
}

std::string first_word(const std::string& text) { return text.substr(0, text.find_first_of(" \n")); }

TEST(AuthKeys, AdbReadsOurKey) {
    const test::TempDir home;
    ASSERT_TRUE(write_new_key(home / "key"));
    const auto printed = adb(home, {"pubkey", (home / "key").string()});
    ASSERT_EQ(printed.code(), 0) << printed.err;
    const auto ring = KeyRing::load({}, (home / "key").string(), nullptr);
    ASSERT_EQ(ring.keys().size(), 1U);
    EXPECT_EQ(first_word(printed.out), first_word(ring.keys()[0].public_key_line()));
}

TEST(AuthKeys, WeReadAdbsKey) {
    const test::TempDir home;
    const auto made = adb(home, {"keygen", (home / "key").string()});
    ASSERT_EQ(made.code(), 0) << made.err;
    std::vector<std::string> warnings;
    const auto ring = KeyRing::load({}, (home / "key").string(), &warnings);
    ASSERT_EQ(ring.keys().size(), 1U) << (warnings.empty() ? "" : warnings[0]);
    const auto pub = test::read_file(home / "key.pub");
    EXPECT_EQ(first_word(pub), first_word(ring.keys()[0].public_key_line()));
    EXPECT_EQ(fingerprint_of(pub), ring.keys()[0].fingerprint());
    const std::vector<std::uint8_t> token(kTokenBytes, 7);
    EXPECT_TRUE(verify_signature(pub, token, ring.keys()[0].sign(token)));
}

}  // namespace
}  // namespace drover::adb
