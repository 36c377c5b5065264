#include "http/digest.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <vector>

#include "base/assert.hpp"
#include "base/bytes.hpp"

namespace drover::http {
namespace {

constexpr std::string_view kDigits = "0123456789abcdef";

std::string hex_of(ByteView bytes) {
    std::string out;
    out.reserve(bytes.size() * 2);
    for (const auto b : bytes) {
        out += kDigits[b >> 4];
        out += kDigits[b & 15];
    }
    return out;
}

int digit(char c) {
    if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
    const auto at = kDigits.find(c);
    return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

}  // namespace

Sha256 sha256(std::string_view bytes) {
    Sha256 out{};
    DROVER_ASSERT(EVP_Digest(bytes.data(), bytes.size(), out.data(), nullptr, EVP_sha256(), nullptr) == 1);
    return out;
}

Sha256 hmac_sha256(std::string_view key, std::string_view bytes) {
    Sha256 out{};
    unsigned size = 0;
    const auto text = as_bytes(bytes);
    // A null key would mean "the key of the last call".
    const char* key_bytes = key.data() ? key.data() : "";
    DROVER_ASSERT(HMAC(EVP_sha256(), key_bytes, static_cast<int>(key.size()), text.data(), text.size(), out.data(),
                       &size) != nullptr);
    return out;
}

std::string to_hex(const Sha256& digest) { return hex_of(digest); }

bool from_hex(std::string_view hex, Sha256& digest) {
    if (hex.size() != digest.size() * 2) return false;
    for (std::size_t i = 0; i < digest.size(); ++i) {
        const int high = digit(hex[2 * i]), low = digit(hex[2 * i + 1]);
        if (high < 0 || low < 0) return false;
        digest[i] = static_cast<std::uint8_t>(high * 16 + low);
    }
    return true;
}

bool same_digest(const Sha256& a, const Sha256& b) { return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0; }

std::string random_hex(std::size_t n) {
    std::vector<std::uint8_t> bytes(n);
    DROVER_ASSERT(RAND_bytes(bytes.data(), static_cast<int>(n)) == 1);
    return hex_of(bytes);
}

}  // namespace drover::http
