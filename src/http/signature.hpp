// Signed requests: SDK-HMAC-SHA256, the way the official SDKs authenticate. Pure; any thread.
//
//   canonical      METHOD \n path \n query \n, then "name:value\n" for each signed header in the listed order, then
//                  \n a;b;c \n hex(sha256(body))
//   string to sign SDK-HMAC-SHA256 \n X-Sdk-Date \n hex(sha256(canonical))
//   signature      hex(HMAC-SHA256(secret key, string to sign))
//
// Failure: a text for people that says what is wrong with the request, never how near the signature was.
#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "http/digest.hpp"
#include "net/http_message.hpp"

namespace drover::http {

constexpr std::chrono::minutes kClockSkewMax{15};
constexpr std::size_t kSignedHeadersMax = 64;
constexpr std::string_view kSignatureAlgorithm = "SDK-HMAC-SHA256";

struct SignedRequest {
    std::string access;
    std::vector<std::string> signed_headers;  // lowercase, as listed
    std::string date;                         // X-Sdk-Date
    Sha256 signature{};
};

// YYYYMMDDTHHMMSSZ, from 1970 on. In seconds: the clock's nanoseconds end in the year 2262, what a client writes does not.
std::optional<std::chrono::sys_seconds> parse_sdk_date(std::string_view text);

// Reads Authorization and X-Sdk-Date, and judges all that needs no key: form, algorithm, the signed set, the clock.
tl::expected<SignedRequest, std::string> read_signature(const net::Request& request,
                                                        std::chrono::system_clock::time_point now);

tl::expected<std::string, std::string> canonical_request(const net::Request& request,
                                                         const std::vector<std::string>& signed_headers);
Sha256 signature_of(std::string_view canonical, std::string_view date, std::string_view secret);

}  // namespace drover::http
