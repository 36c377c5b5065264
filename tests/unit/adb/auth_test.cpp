#include "adb/auth.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <sys/stat.h>

#include <fstream>

#include "support/temp_dir.hpp"

namespace drover::adb {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

const PrivateKey& test_key() {
    static const PrivateKey key = PrivateKey::generate().value();
    return key;
}
const PrivateKey& other_key() {
    static const PrivateKey key = PrivateKey::generate().value();
    return key;
}

std::vector<std::uint8_t> token() {
    std::vector<std::uint8_t> t(kTokenBytes);
    for (std::size_t i = 0; i < t.size(); ++i) t[i] = static_cast<std::uint8_t>(i * 13 + 1);
    return t;
}

std::string pem_of(EVP_PKEY* key, const char* passphrase = nullptr) {
    BIO* bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PKCS8PrivateKey(bio, key, passphrase ? EVP_aes_128_cbc() : nullptr, passphrase, passphrase ? 4 : 0,
                                  nullptr, nullptr);
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio, &data);
    std::string text(data, static_cast<std::size_t>(size));
    BIO_free(bio);
    EVP_PKEY_free(key);
    return text;
}

std::vector<std::uint8_t> struct_of(const std::string& line) {
    std::vector<std::uint8_t> raw(525);
    EXPECT_EQ(line.find(' '), 700U);
    EXPECT_EQ(EVP_DecodeBlock(raw.data(), reinterpret_cast<const unsigned char*>(line.data()), 700), 525);
    raw.resize(524);
    return raw;
}

void write_file(const test::TempDir& dir, std::string_view name, std::string_view text, int mode = 0600) {
    fs::permissions(dir.write(name, text), fs::perms(mode));
}

TEST(Auth, SignsTheTokenAsADigest) {
    const auto signature = test_key().sign(token());
    ASSERT_EQ(signature.size(), kSignatureBytes);
    EXPECT_TRUE(verify_signature(test_key().public_key_line(), token(), signature));
    EXPECT_EQ(signature, test_key().sign(token()));  // PKCS#1 v1.5 has no randomness

    // The padding block itself: 00 01 ff.. 00 DigestInfo(SHA-1) token. A second hash would show here.
    const std::string pem = test_key().to_pem();
    BIO* bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
    EVP_PKEY* key = PEM_read_bio_PrivateKey(bio, nullptr, nullptr, nullptr);
    BIO_free(bio);
    EVP_PKEY_CTX* context = EVP_PKEY_CTX_new(key, nullptr);
    std::vector<std::uint8_t> block(256);
    std::size_t size = block.size();
    EVP_PKEY_verify_recover_init(context);
    EVP_PKEY_CTX_set_rsa_padding(context, RSA_NO_PADDING);
    ASSERT_EQ(EVP_PKEY_verify_recover(context, block.data(), &size, signature.data(), signature.size()), 1);
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(key);
    std::vector<std::uint8_t> expected(256, 0xff);
    const std::uint8_t digest_info[] = {0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e,
                                        0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14};
    expected[0] = 0;
    expected[1] = 1;
    expected[256 - 20 - 15 - 1] = 0;
    std::copy(std::begin(digest_info), std::end(digest_info), expected.end() - 35);
    const auto t = token();
    std::copy(t.begin(), t.end(), expected.end() - 20);
    EXPECT_EQ(block, expected);
}

TEST(Auth, RefusesWrongSignatures) {
    auto signature = test_key().sign(token());
    EXPECT_FALSE(verify_signature(other_key().public_key_line(), token(), signature));
    signature[100] ^= 1;
    EXPECT_FALSE(verify_signature(test_key().public_key_line(), token(), signature));
    signature.resize(255);
    EXPECT_FALSE(verify_signature(test_key().public_key_line(), token(), signature));
    EXPECT_FALSE(verify_signature(test_key().public_key_line(), token(), {}));
    const std::vector<std::uint8_t> high(kSignatureBytes, 0xff);  // larger than the modulus
    EXPECT_FALSE(verify_signature(test_key().public_key_line(), token(), high));
    EXPECT_TRUE(test_key().sign(std::vector<std::uint8_t>(19)).empty());
    EXPECT_TRUE(test_key().sign(std::vector<std::uint8_t>(21)).empty());
}

TEST(Auth, AndroidStruct) {
    const auto raw = struct_of(test_key().public_key_line());
    EXPECT_EQ(load_le32(raw.data()), 64U);
    EXPECT_EQ(load_le32(raw.data() + 520), 65537U);
    const std::uint32_t n0 = load_le32(raw.data() + 8);
    EXPECT_EQ(n0 * load_le32(raw.data() + 4), 0xffffffffU);  // n0inv is -1/n[0]
    EXPECT_EQ(raw[8 + 255] & 0x80, 0x80);                    // the modulus has all its 2048 bits, little-endian
}

TEST(Auth, PemRoundTrip) {
    const auto again = PrivateKey::from_pem(test_key().to_pem());
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(again->fingerprint(), test_key().fingerprint());
    EXPECT_EQ(again->sign(token()), test_key().sign(token()));
    EXPECT_THAT(test_key().to_pem(), testing::StartsWith("-----BEGIN PRIVATE KEY-----\n"));
}

TEST(Auth, Fingerprint) {
    EXPECT_EQ(test_key().fingerprint().size(), 64U);
    EXPECT_EQ(fingerprint_of(test_key().public_key_line()), test_key().fingerprint());
    EXPECT_EQ(fingerprint_of(test_key().public_key_line().substr(0, 700)), test_key().fingerprint());
    EXPECT_EQ(fingerprint_of(test_key().public_key_line() + "\n"), test_key().fingerprint());
    EXPECT_NE(test_key().fingerprint(), other_key().fingerprint());
}

TEST(Auth, HostilePublicKeyLines) {
    const auto line = test_key().public_key_line();
    auto words = line;
    words[0] = 'A';
    words[1] = 'B';  // another word count
    auto junk = line;
    junk[350] = '!';
    auto padded = line;
    padded[350] = '=';
    for (const auto& bad :
         {std::string(), std::string(" "), std::string(700, 'A'), line.substr(1), line.substr(0, 699), words, junk}) {
        EXPECT_EQ(fingerprint_of(bad), "") << bad.substr(0, 20);
        EXPECT_FALSE(verify_signature(bad, token(), test_key().sign(token())));
    }
    EXPECT_FALSE(verify_signature(padded, token(), test_key().sign(token())));
    // A struct whose numbers are nonsense: all zero but for the word count. Must be refused, not crash.
    std::string zero = "QAAAA" + std::string(695, 'A');
    EXPECT_FALSE(verify_signature(zero, token(), test_key().sign(token())));
    std::string ones = "QAAAA" + std::string(695, '/');
    EXPECT_FALSE(verify_signature(ones, token(), std::vector<std::uint8_t>(kSignatureBytes, 1)));
}

TEST(Auth, RefusesOtherKeys) {
    auto error_of = [](const std::string& pem) {
        const auto key = PrivateKey::from_pem(pem);
        EXPECT_FALSE(key);
        if (key) return std::string();
        EXPECT_EQ(key.error().code, Code::bad_key);
        return key.error().message;
    };
    EXPECT_THAT(error_of(pem_of(EVP_RSA_gen(1024U))), HasSubstr("1024 bits"));
    EXPECT_THAT(error_of(pem_of(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"))), HasSubstr("not an RSA key"));
    EXPECT_THAT(error_of(pem_of(EVP_RSA_gen(2048U), "pass")), HasSubstr("encrypted"));
    EXPECT_THAT(error_of(""), HasSubstr("no PEM private key"));
    EXPECT_THAT(error_of("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"),
                HasSubstr("no PEM private key"));
    EXPECT_THAT(error_of(std::string(70'000, 'x')), HasSubstr("larger than"));
}

TEST(KeyRing, LoadsUserKeyThenVendorKeysWithoutDuplicates) {
    const test::TempDir f;
    write_file(f, "home/.android/adbkey", test_key().to_pem());
    write_file(f, "vendor/b.adb_key", other_key().to_pem());
    write_file(f, "vendor/a.adb_key", test_key().to_pem());
    write_file(f, "vendor/ignored.pem", "no key");
    std::vector<std::string> warnings;
    const auto ring = KeyRing::load(
        f / "home", ":" + (f / "vendor").string() + "::" + (f / "home/.android/adbkey").string(), &warnings);
    EXPECT_THAT(warnings, testing::IsEmpty());
    ASSERT_EQ(ring.keys().size(), 2U);
    EXPECT_EQ(ring.keys()[0].fingerprint(), test_key().fingerprint());
    EXPECT_EQ(ring.keys()[1].fingerprint(), other_key().fingerprint());
    EXPECT_THAT(ring.order(""), testing::ElementsAre(0, 1));
    EXPECT_THAT(ring.order(other_key().fingerprint()), testing::ElementsAre(1, 0));
    EXPECT_THAT(ring.order("unknown"), testing::ElementsAre(0, 1));
}

TEST(KeyRing, WarnsAboutWhatItCannotUse) {
    const test::TempDir f;
    write_file(f, "readable", test_key().to_pem(), 0644);
    write_file(f, "group", test_key().to_pem(), 0640);
    write_file(f, "junk", "junk");
    write_file(f, "huge", std::string(100'000, 'x'));
    ASSERT_EQ(mkfifo((f / "fifo").c_str(), 0600), 0);
    std::vector<std::string> warnings;
    std::string list;
    for (const auto* name : {"readable", "group", "junk", "huge", "fifo", "missing"}) list += (f / name).string() + ":";
    const auto ring = KeyRing::load(f / "nohome", list, &warnings);
    EXPECT_TRUE(ring.keys().empty());
    ASSERT_EQ(warnings.size(), 6U);
    EXPECT_THAT(warnings[0], HasSubstr("chmod 600"));
    EXPECT_THAT(warnings[1], HasSubstr("chmod 600"));
    EXPECT_THAT(warnings[2], HasSubstr("junk is not used: no PEM"));
    EXPECT_THAT(warnings[3], HasSubstr("too large"));
    EXPECT_THAT(warnings[4], HasSubstr("not a regular file"));
    EXPECT_THAT(warnings[5], HasSubstr("No such file"));
    EXPECT_TRUE(KeyRing::load(f / "nohome", list, nullptr).keys().empty());
}

TEST(KeyRing, WritesANewKeyOnce) {
    const test::TempDir f;
    ASSERT_TRUE(write_new_key(f / "adbkey"));
    EXPECT_EQ(fs::status(f / "adbkey").permissions(), fs::perms(0600));
    std::vector<std::string> warnings;
    const auto ring = KeyRing::load({}, (f / "adbkey").string(), &warnings);
    ASSERT_EQ(ring.keys().size(), 1U) << testing::PrintToString(warnings);
    std::ifstream pub(f / "adbkey.pub");
    std::string line;
    std::getline(pub, line);
    EXPECT_EQ(line, ring.keys()[0].public_key_line());

    const auto again = write_new_key(f / "adbkey");
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, Code::bad_key);
    fs::remove(f / "adbkey.pub");
    const auto private_there = write_new_key(f / "adbkey");
    ASSERT_FALSE(private_there);
    EXPECT_THAT(private_there.error().message, HasSubstr("File exists"));
    EXPECT_FALSE(fs::exists(f / "adbkey.pub"));
    EXPECT_EQ(KeyRing::load({}, (f / "adbkey").string(), nullptr).keys().at(0).fingerprint(),
              ring.keys()[0].fingerprint());
    EXPECT_FALSE(write_new_key(f / "no/such/folder/key"));
}

}  // namespace
}  // namespace drover::adb
