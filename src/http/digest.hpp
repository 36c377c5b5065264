// SHA-256, HMAC-SHA256, random bytes and constant-time comparison, from OpenSSL. Pure but for random_hex(); any thread.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace drover::http {

using Sha256 = std::array<std::uint8_t, 32>;

Sha256 sha256(std::string_view bytes);
Sha256 hmac_sha256(std::string_view key, std::string_view bytes);
std::string to_hex(const Sha256& digest);             // lowercase
bool from_hex(std::string_view hex, Sha256& digest);  // 64 digits, any case
// Takes the same time wherever the first difference is.
bool same_digest(const Sha256& a, const Sha256& b);
// 2 * n lowercase hex digits from the system's generator.
std::string random_hex(std::size_t n);

}  // namespace drover::http
