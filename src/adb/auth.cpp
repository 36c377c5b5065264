#include "adb/auth.hpp"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <unistd.h>

#include <cstdlib>
#include <optional>

#include "base/assert.hpp"

namespace drover::adb {

// Not in the anonymous namespace: PrivateKey::Impl has a field of it, and in a unity build that class is of a header.
template <auto Free>
struct OpenSslFreer {
    template <class T>
    void operator()(T* p) const {
        Free(p);
    }
};

namespace {

using Key = std::unique_ptr<EVP_PKEY, OpenSslFreer<EVP_PKEY_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, OpenSslFreer<EVP_PKEY_CTX_free>>;
using Number = std::unique_ptr<BIGNUM, OpenSslFreer<BN_free>>;
using NumberContext = std::unique_ptr<BN_CTX, OpenSslFreer<BN_CTX_free>>;
using Bio = std::unique_ptr<BIO, OpenSslFreer<BIO_free_all>>;
using ParamBuilder = std::unique_ptr<OSSL_PARAM_BLD, OpenSslFreer<OSSL_PARAM_BLD_free>>;
using Params = std::unique_ptr<OSSL_PARAM, OpenSslFreer<OSSL_PARAM_free>>;

constexpr std::size_t kModulusBytes = 256;
constexpr std::uint32_t kModulusWords = kModulusBytes / 4;
constexpr int kModulusBits = 2048;
constexpr std::size_t kPemBytesMax = 64 * 1024;

// AOSP's RSAPublicKey, all little-endian: words u32, n0inv u32, modulus, rr, exponent u32.
constexpr std::size_t kStructBytes = 4 + 4 + kModulusBytes + kModulusBytes + 4;
static_assert(kStructBytes == 524);
constexpr std::size_t kModulusAt = 8, kRrAt = kModulusAt + kModulusBytes, kExponentAt = kRrAt + kModulusBytes;
constexpr std::size_t kBase64Bytes = (kStructBytes + 2) / 3 * 4;
using AndroidKey = std::array<std::uint8_t, kStructBytes>;

std::string openssl_reason() {
    const char* reason = ERR_reason_error_string(ERR_get_error());
    ERR_clear_error();
    return reason ? reason : "unknown reason";
}

Number number_of(const EVP_PKEY& key, const char* name) {
    BIGNUM* n = nullptr;
    EVP_PKEY_get_bn_param(&key, name, &n);
    return Number(n);
}

// -1/n modulo 2^32, which Android's Montgomery multiplication wants. Newton's step doubles the correct bits: 5 are enough.
std::uint32_t negative_inverse(std::uint32_t n) {
    std::uint32_t x = 1;
    for (int i = 0; i < 5; ++i) x *= 2 - n * x;
    return ~x + 1;
}

// Empty when the key is not RSA-2048 with an exponent of at most 32 bits.
std::optional<AndroidKey> android_key(const EVP_PKEY& key) {
    const Number n = number_of(key, OSSL_PKEY_PARAM_RSA_N);
    const Number e = number_of(key, OSSL_PKEY_PARAM_RSA_E);
    if (!n || !e || BN_num_bits(n.get()) != kModulusBits || BN_num_bits(e.get()) > 32 || !BN_is_odd(n.get()))
        return std::nullopt;
    const Number rr(BN_new());
    const NumberContext scratch(BN_CTX_new());
    DROVER_ASSERT(rr && scratch);
    AndroidKey raw{};
    const bool computed = BN_set_bit(rr.get(), 2 * kModulusBits) &&
                          BN_mod(rr.get(), rr.get(), n.get(), scratch.get()) &&
                          BN_bn2lebinpad(n.get(), raw.data() + kModulusAt, kModulusBytes) > 0 &&
                          BN_bn2lebinpad(rr.get(), raw.data() + kRrAt, kModulusBytes) > 0;
    DROVER_ASSERT(computed);
    store_le32(raw.data(), kModulusWords);
    store_le32(raw.data() + 4, negative_inverse(load_le32(raw.data() + kModulusAt)));
    store_le32(raw.data() + kExponentAt, static_cast<std::uint32_t>(BN_get_word(e.get())));
    return raw;
}

std::optional<AndroidKey> decode_line(std::string_view line) {
    const std::string_view base64 = line.substr(0, line.find_first_of(std::string_view(" \t\r\n\0", 5)));
    if (base64.size() != kBase64Bytes) return std::nullopt;
    std::array<std::uint8_t, kBase64Bytes / 4 * 3> raw;
    const auto* text = reinterpret_cast<const unsigned char*>(base64.data());
    if (EVP_DecodeBlock(raw.data(), text, static_cast<int>(base64.size())) != static_cast<int>(raw.size()))
        return std::nullopt;
    AndroidKey key;
    std::copy_n(raw.begin(), key.size(), key.begin());
    if (load_le32(key.data()) != kModulusWords) return std::nullopt;
    return key;
}

std::string hex_sha256(const AndroidKey& key) {
    std::array<std::uint8_t, 32> digest;
    const int ok = EVP_Digest(key.data(), key.size(), digest.data(), nullptr, EVP_sha256(), nullptr);
    DROVER_ASSERT(ok == 1);
    std::string hex;
    for (const auto byte : digest) hex += fmt::format("{:02x}", byte);
    return hex;
}

Key public_key(const AndroidKey& raw) {
    const Number n(BN_lebin2bn(raw.data() + kModulusAt, kModulusBytes, nullptr));
    const Number e(BN_new());
    const ParamBuilder builder(OSSL_PARAM_BLD_new());
    DROVER_ASSERT(n && e && builder);
    BN_set_word(e.get(), load_le32(raw.data() + kExponentAt));
    OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get());
    OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get());
    const Params params(OSSL_PARAM_BLD_to_param(builder.get()));
    const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
    EVP_PKEY* key = nullptr;
    if (!params || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
        EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get()) != 1) {
        ERR_clear_error();
        return nullptr;
    }
    return Key(key);
}

// The token stands in for a SHA-1 digest: OpenSSL only wraps it in the DigestInfo and the PKCS#1 v1.5 padding.
bool use_token_as_sha1(EVP_PKEY_CTX* context) {
    return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1 &&
           EVP_PKEY_CTX_set_signature_md(context, EVP_sha1()) == 1;
}

std::string user_at_host() {
    const char* user = std::getenv("LOGNAME");
    std::array<char, 256> host{};
    if (gethostname(host.data(), host.size() - 1) != 0) host[0] = '\0';
    return fmt::format("{}@{}", user && *user ? user : "unknown", host[0] ? host.data() : "unknown");
}

// adb never asks for a passphrase, and a service has nobody to ask: an encrypted key is refused.
int no_passphrase(char*, int, int, void*) { return -1; }

}  // namespace

struct PrivateKey::Impl {
    Key key;
    AndroidKey android{};
};

Result<PrivateKey> PrivateKey::from_pem(std::string_view pem) {
    if (pem.size() > kPemBytesMax)
        return fail(Code::bad_key, fmt::format("larger than {} bytes, so no PEM key", kPemBytesMax));
    ERR_clear_error();
    const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    DROVER_ASSERT(bio);
    Key key(PEM_read_bio_PrivateKey(bio.get(), nullptr, &no_passphrase, nullptr));
    if (!key) {
        const std::string reason = openssl_reason();
        if (pem.find("ENCRYPTED") != std::string_view::npos)
            return fail(Code::bad_key, "the PEM key is encrypted; adb keys have no passphrase");
        return fail(Code::bad_key, fmt::format("no PEM private key ({})", reason));
    }
    if (EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_RSA)
        return fail(Code::bad_key, "not an RSA key; adb takes RSA-2048 only");
    const auto raw = android_key(*key);
    if (!raw)
        return fail(Code::bad_key,
                    fmt::format("an RSA key of {} bits; adb takes RSA-2048 only", EVP_PKEY_get_bits(key.get())));
    PrivateKey result;
    result.fingerprint_ = hex_sha256(*raw);
    auto impl = std::make_shared<Impl>();
    impl->key = std::move(key);
    impl->android = *raw;
    result.impl_ = std::move(impl);
    return result;
}

Result<PrivateKey> PrivateKey::generate() {
    ERR_clear_error();
    const Key key(EVP_RSA_gen(static_cast<unsigned>(kModulusBits)));
    if (!key) return fail(Code::internal, fmt::format("cannot make an RSA key ({})", openssl_reason()));
    const Bio bio(BIO_new(BIO_s_secmem()));
    if (!bio || PEM_write_bio_PKCS8PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1) {
        return fail(Code::internal, fmt::format("cannot encode an RSA key ({})", openssl_reason()));
    }
    char* text = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &text);
    return from_pem({text, static_cast<std::size_t>(size)});
}

std::vector<std::uint8_t> PrivateKey::sign(ByteView token) const {
    if (token.size() != kTokenBytes) return {};
    const KeyContext context(EVP_PKEY_CTX_new(impl_->key.get(), nullptr));
    std::vector<std::uint8_t> signature(kSignatureBytes);
    std::size_t size = signature.size();
    const bool ok = context && EVP_PKEY_sign_init(context.get()) == 1 && use_token_as_sha1(context.get()) &&
                    EVP_PKEY_sign(context.get(), signature.data(), &size, token.data(), token.size()) == 1;
    DROVER_ASSERT(ok && size == kSignatureBytes);
    return signature;
}

std::string PrivateKey::public_key_line() const {
    std::array<unsigned char, kBase64Bytes + 1> text;
    EVP_EncodeBlock(text.data(), impl_->android.data(), static_cast<int>(impl_->android.size()));
    return fmt::format("{} {}", std::string_view(reinterpret_cast<const char*>(text.data()), kBase64Bytes),
                       user_at_host());
}

std::string PrivateKey::to_pem() const {
    const Bio bio(BIO_new(BIO_s_secmem()));
    const bool ok =
        bio && PEM_write_bio_PKCS8PrivateKey(bio.get(), impl_->key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1;
    DROVER_ASSERT(ok);
    char* text = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &text);
    return std::string(text, static_cast<std::size_t>(size));
}

bool verify_signature(std::string_view public_key_line, ByteView token, ByteView signature) {
    if (token.size() != kTokenBytes || signature.size() != kSignatureBytes) return false;
    const auto raw = decode_line(public_key_line);
    if (!raw) return false;
    const Key key = public_key(*raw);
    const KeyContext context(key ? EVP_PKEY_CTX_new(key.get(), nullptr) : nullptr);
    const bool ok = context && EVP_PKEY_verify_init(context.get()) == 1 && use_token_as_sha1(context.get()) &&
                    EVP_PKEY_verify(context.get(), signature.data(), signature.size(), token.data(), token.size()) == 1;
    ERR_clear_error();
    return ok;
}

std::string fingerprint_of(std::string_view public_key_line) {
    const auto raw = decode_line(public_key_line);
    return raw ? hex_sha256(*raw) : std::string();
}

}  // namespace drover::adb
