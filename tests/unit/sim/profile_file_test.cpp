// Profile files: what they change, and what is said about wrong ones.
#include "sim/profile_file.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <filesystem>

#include "adb/auth.hpp"
#include "sim/profile_keys.hpp"
#include "support/temp_dir.hpp"
#include "where.hpp"

namespace drover::sim {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Result<ProfileFile> parse(std::string_view text) {
    yaml::Source source;
    source.file = "p.yaml";
    source.code = Code::bad_profile;
    return ProfileFile::parse(text, source);
}

ProfileFile good(std::string_view text) {
    auto file = parse(text);
    EXPECT_TRUE(file) << file.error().message;
    return std::move(*file);
}

std::string wrong(std::string_view text) {
    const auto file = parse(text);
    EXPECT_FALSE(file) << text;
    if (file) return "";
    EXPECT_EQ(file.error().code, Code::bad_profile);
    return file.error().message;
}

TEST(ProfileFile, AnEmptyOneIsAHealthyModernPhone) {
    const auto p = good("version: 1\n").for_phone(1, "vphone-0001", 1);
    EXPECT_EQ(p->protocol, Protocol::modern);
    EXPECT_EQ(p->features, modern_profile().features);
    for (const auto& info : fault_infos()) EXPECT_EQ(p->fault(info.kind).rate, 0) << info.name;
}

TEST(ProfileFile, EveryKey) {
    const auto p = good(R"(version: 1
name: x
properties: {ro.product.model: "Pixel 8", my.number: "${number}"}
packages: [com.a, com.b]
without-features: [delayed_ack, cmd]
shell: scripted
scripted: false
crlf: true
reply-delay: 2ms
separate-writes: true
absent-time: 1s
boot-time: 5s
faults:
  mute: 0.25
  slow: {time: 300ms, rate: 0.5}
  flapping: {time: 4s, down: 2s}
  exit-code: {code: 3}
  huge-output: {bytes: 77}
  drop: always
  silent: never
)")
                       .for_phone(1, "vphone-0001", 1);
    EXPECT_EQ(p->name, "x");
    EXPECT_EQ(p->properties.at("ro.product.model"), "Pixel 8");
    EXPECT_EQ(p->packages.size(), 2u);
    EXPECT_FALSE(p->has_feature("delayed_ack"));
    EXPECT_TRUE(p->has_feature("shell_v2"));
    EXPECT_FALSE(p->real_shell);
    EXPECT_FALSE(p->scripted);
    EXPECT_TRUE(p->crlf);
    EXPECT_TRUE(p->separate_writes);
    EXPECT_EQ(p->reply_delay, Millis(2));
    EXPECT_EQ(p->absent_time, Millis(1000));
    EXPECT_EQ(p->boot_time, Millis(5000));
    EXPECT_EQ(p->fault(FaultKind::mute).rate, 0.25);
    EXPECT_EQ(p->fault(FaultKind::slow).value, 300u);
    EXPECT_EQ(p->fault(FaultKind::slow).rate, 0.5);
    EXPECT_EQ(p->fault(FaultKind::flapping).value, 4000u);
    EXPECT_EQ(p->fault(FaultKind::flapping).down, Millis(2000));
    EXPECT_EQ(p->fault(FaultKind::exit_code).value, 3u);
    EXPECT_EQ(p->fault(FaultKind::huge_output).value, 77u);
    EXPECT_EQ(p->fault(FaultKind::drop).rate, 1);
    EXPECT_EQ(p->fault(FaultKind::silent).rate, 0);
}

TEST(ProfileFile, OldMeansNoFeaturesAndCrLf) {
    const auto p = good("version: 1\nprotocol: old\n").for_phone(1, "vphone-0001", 1);
    EXPECT_EQ(p->protocol, Protocol::old);
    EXPECT_TRUE(p->features.empty());
    EXPECT_TRUE(p->crlf);
    EXPECT_EQ(p->properties.at("ro.build.version.release"), "4.4.4");
}

TEST(ProfileFile, SinglePhonesAndPatternsInOrder) {
    auto file = good(R"(version: 1
reply-delay: 1ms
phones:
  'vphone-[0002-0004]': {protocol: old, reply-delay: 2ms}
  vphone-0003: {reply-delay: 3ms}
)");
    EXPECT_EQ(file.for_phone(1, "vphone-0001", 1)->reply_delay, Millis(1));
    EXPECT_EQ(file.for_phone(2, "vphone-0002", 1)->reply_delay, Millis(2));
    EXPECT_EQ(file.for_phone(3, "vphone-0003", 1)->reply_delay, Millis(3));
    EXPECT_EQ(file.for_phone(3, "vphone-0003", 1)->protocol, Protocol::old);
    EXPECT_EQ(file.for_phone(5, "vphone-0005", 1)->protocol, Protocol::modern);
    EXPECT_EQ(file.for_phone(5, "vphone-0005", 1), file.for_phone(6, "vphone-0006", 1));
}

TEST(ProfileFile, SharesAreKeptAndTheSeedChooses) {
    auto file = good("version: 1\nmix:\n  - {share: 0.2, protocol: old}\n  - {share: 0.1, shell: scripted}\n");
    int old = 0, scripted = 0, same = 0;
    for (std::uint32_t n = 1; n <= 1000; ++n) {
        const auto p = file.for_phone(n, "x", 1);
        old += p->protocol == Protocol::old;
        scripted += !p->real_shell;
        same += p == file.for_phone(n, "x", 2);
    }
    EXPECT_NEAR(old, 200, 50);
    EXPECT_NEAR(scripted, 100, 40);
    EXPECT_LT(same, 900);
}

TEST(ProfileFile, TrustedKeysComeFromTextsAndFilesBesideIt) {
    const test::TempDir dir;
    const auto key = adb::PrivateKey::generate().value();
    const auto other = adb::PrivateKey::generate().value();
    dir.write("k.pub", key.public_key_line() + "\n");
    const auto path = dir.write(
        "p.yaml", "version: 1\nauth: trusted\ntrusted-keys:\n  - {file: k.pub}\n  - " + other.public_key_line() + "\n");
    auto file = ProfileFile::load(path);
    ASSERT_TRUE(file) << file.error().message;
    const auto p = file->for_phone(1, "a", 1);
    EXPECT_EQ(p->auth, AuthMode::trusted);
    ASSERT_EQ(p->trusted_keys.size(), 2u);
    EXPECT_EQ(adb::fingerprint_of(p->trusted_keys[0]), key.fingerprint());
    EXPECT_EQ(adb::fingerprint_of(p->trusted_keys[1]), other.fingerprint());
}

TEST(ProfileFile, ErrorsSayFileLineAndColumn) {
    EXPECT_THAT(wrong("version: 1\nprotcol: old\n"), HasSubstr("p.yaml:2:1:"));
    EXPECT_THAT(wrong("version: 1\nprotcol: old\n"), HasSubstr("protocol"));
    EXPECT_THAT(wrong("version: 1\nname: a\nname: b\n"), HasSubstr("p.yaml:3:1:"));
    EXPECT_THAT(wrong("version: 2\n"), HasSubstr("p.yaml:1:10:"));
    EXPECT_THAT(wrong("name: a\n"), HasSubstr("version"));
    EXPECT_THAT(wrong("version: 1\nboot-time: 5\n"), HasSubstr("p.yaml:2:12:"));
    EXPECT_THAT(wrong("version: 1\nfaults: {mut: always}\n"), HasSubstr("p.yaml:2:10:"));
    EXPECT_THAT(wrong("version: 1\nfaults: {mute: often}\n"), HasSubstr("p.yaml:2:16:"));
    EXPECT_THAT(wrong("version: 1\nfaults: {mute: 1.5}\n"), HasSubstr("p.yaml:2:16:"));
    EXPECT_THAT(wrong("version: 1\nfaults: {mute: {bytes: 5}}\n"), HasSubstr("p.yaml:2:17:"));
    EXPECT_THAT(wrong("version: 1\nphones:\n  'a[': {crlf: true}\n"), HasSubstr("p.yaml:3:3:"));
    EXPECT_THAT(wrong("version: 1\nphones:\n  a: {crlf: maybe}\n"), HasSubstr("p.yaml:3:13:"));
    EXPECT_THAT(wrong("version: 1\nmix:\n  - {protocol: old}\n"), HasSubstr("p.yaml:3:5:"));
    EXPECT_THAT(wrong("version: 1\nmix:\n  - {share: 0.6}\n  - {share: 0.6}\n"), HasSubstr("over 1"));
    EXPECT_THAT(wrong("version: 1\nmix: 5\n"), HasSubstr("p.yaml:2:6:"));
    EXPECT_THAT(wrong("version: 1\nphones: []\n"), HasSubstr("p.yaml:2:9:"));
    EXPECT_THAT(wrong("version: 1\nproperties: {'a/b': c}\n"), HasSubstr("p.yaml:2:14:"));
    EXPECT_THAT(wrong("version: 1\npackages: [../x]\n"), HasSubstr("p.yaml:2:"));
    EXPECT_THAT(wrong("version: 1\nauth: trusted\n"), HasSubstr("trusted-keys"));
    EXPECT_THAT(wrong("version: 1\nauth: trusted\ntrusted-keys: [nonsense]\n"), HasSubstr("p.yaml:3:16:"));
    EXPECT_THAT(wrong("version: 1\nauth: trusted\ntrusted-keys: [{file: no.pub}]\n"), HasSubstr("no.pub"));
    EXPECT_THAT(wrong("version: 1\nprotocol: old\nfeatures: [shell_v2]\n"), HasSubstr("p.yaml:3:"));
    EXPECT_THAT(wrong("- a\n"), HasSubstr("p.yaml:1:1:"));
    EXPECT_THAT(wrong(""), HasSubstr("p.yaml"));
}

TEST(ProfileFile, AKeyFileIsSmallAndOrdinaryOrAnError) {
    const test::TempDir dir;
    dir.write("long.pub", std::string(8193, 'A'));
    dir.write("empty.pub", "");
    ASSERT_EQ(::mkfifo((dir / "fifo.pub").c_str(), 0600), 0);
    const auto said = [&dir](const std::string& name) {
        const auto path = dir.write("p.yaml", "version: 1\nauth: trusted\ntrusted-keys: [{file: " + name + "}]\n");
        const auto file = ProfileFile::load(path);
        EXPECT_FALSE(file) << name;
        std::string message = file ? "" : file.error().message;
        EXPECT_THAT(message, HasSubstr("p.yaml:3:23: trusted-keys[0].file: ")) << name;
        return message;
    };
    EXPECT_THAT(said("/dev/zero"), HasSubstr("/dev/zero: is no regular file"));
    EXPECT_THAT(said("fifo.pub"), HasSubstr("is no regular file"));
    EXPECT_THAT(said("."), HasSubstr("is no regular file"));
    EXPECT_THAT(said("long.pub"), HasSubstr("has more than 8192 bytes"));
    EXPECT_THAT(said("none.pub"), HasSubstr("none.pub: No such file"));
    EXPECT_THAT(said("empty.pub"), HasSubstr("holds no adb public key"));
}

TEST(ProfileFile, OneMistakeIsOneProblem) {
    for (const char* mute : {"2", "-1", "often", "[]", "{rate: 2}", "''"}) {
        const auto message = wrong(std::string("version: 1\nfaults: {mute: ") + mute + "}\n");
        EXPECT_THAT(message, Not(HasSubstr("more problem"))) << mute;
        EXPECT_THAT(message, HasSubstr("p.yaml:2:")) << mute;
    }
}

TEST(ProfileFile, AMissingFileIsNamed) {
    const auto file = ProfileFile::load("/no/such/profile.yaml");
    ASSERT_FALSE(file);
    EXPECT_THAT(file.error().message, HasSubstr("/no/such/profile.yaml"));
}

TEST(ProfileFile, EveryProfileOfTheProjectIsRight) {
    int seen = 0;
    for (const auto& entry : std::filesystem::directory_iterator(DROVER_SOURCE_DIR "/devices/profiles")) {
        if (entry.path().extension() != ".yaml") continue;
        auto file = ProfileFile::load(entry.path());
        EXPECT_TRUE(file) << file.error().message;
        ++seen;
    }
    EXPECT_GE(seen, 6);
}

TEST(ProfileFile, TheReadmeNamesEveryKeyAndEveryFault) {
    const auto text = test::read_file(DROVER_SOURCE_DIR "/devices/profiles/README.md");
    for (const auto& key : profile_keys()) EXPECT_THAT(text, HasSubstr("`" + std::string(key.name) + "`"));
    for (const auto& info : fault_infos()) EXPECT_THAT(text, HasSubstr("`" + std::string(info.name) + "`"));
}

}  // namespace
}  // namespace drover::sim
