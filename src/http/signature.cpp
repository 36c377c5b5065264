#include "http/signature.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <ctime>
#include <optional>

#include "http/uri.hpp"

namespace drover::http {
namespace {

using Bad = tl::unexpected<std::string>;

std::string_view trim(std::string_view text) {
    const auto first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::string lower(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return out;
}

std::vector<std::string> split_names(std::string_view text) {
    std::vector<std::string> names;
    while (names.size() <= kSignedHeadersMax) {
        const auto end = text.find(';');
        names.push_back(lower(trim(text.substr(0, end))));
        if (end == std::string_view::npos) break;
        text.remove_prefix(end + 1);
    }
    return names;
}

// "Access=ak, SignedHeaders=a;b, Signature=hex": each once, in any order.
tl::expected<SignedRequest, std::string> parse_parameters(std::string_view text) {
    SignedRequest r;
    std::string signature;
    while (!text.empty()) {
        const auto end = text.find(',');
        const auto part = trim(text.substr(0, end));
        text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
        const auto equals = part.find('=');
        if (equals == std::string_view::npos) return Bad("Authorization is malformed");
        const auto key = part.substr(0, equals), value = part.substr(equals + 1);
        if (key == "Access" && r.access.empty()) {
            r.access = value;
        } else if (key == "SignedHeaders" && r.signed_headers.empty()) {
            r.signed_headers = split_names(value);
        } else if (key == "Signature" && signature.empty()) {
            signature = value;
        } else {
            return Bad("Authorization is malformed");
        }
    }
    if (r.access.empty() || r.signed_headers.empty() || !from_hex(signature, r.signature))
        return Bad("Authorization is malformed");
    return r;
}

}  // namespace

std::optional<std::chrono::sys_seconds> parse_sdk_date(std::string_view text) {
    if (text.size() != 16 || text[8] != 'T' || text[15] != 'Z') return std::nullopt;
    const auto number = [&](std::size_t at, std::size_t n) {
        int value = 0;
        for (const char c : text.substr(at, n))
            value = c >= '0' && c <= '9' && value >= 0 ? value * 10 + (c - '0') : -100'000;
        return value;
    };
    const std::chrono::year_month_day day{std::chrono::year(number(0, 4)),
                                          std::chrono::month(static_cast<unsigned>(number(4, 2))),
                                          std::chrono::day(static_cast<unsigned>(number(6, 2)))};
    const int h = number(9, 2), m = number(11, 2), s = number(13, 2);
    if (!day.ok() || number(0, 4) < 1970 || h < 0 || h > 23 || m < 0 || m > 59 || s < 0 || s > 59) return std::nullopt;
    return std::chrono::sys_days(day) + std::chrono::hours(h) + std::chrono::minutes(m) + std::chrono::seconds(s);
}

tl::expected<SignedRequest, std::string> read_signature(const net::Request& request,
                                                        std::chrono::system_clock::time_point now) {
    const auto* authorization = request.header("Authorization");
    if (!authorization || request.count("Authorization") != 1) return Bad("one Authorization header is needed");
    const auto space = authorization->find(' ');
    if (authorization->substr(0, space) != kSignatureAlgorithm) return Bad("the algorithm must be SDK-HMAC-SHA256");
    auto parsed = parse_parameters(space == std::string::npos ? std::string_view()
                                                              : std::string_view(*authorization).substr(space + 1));
    if (!parsed) return parsed;
    const auto& names = parsed->signed_headers;
    if (names.size() > kSignedHeadersMax) return Bad("too many signed headers");
    for (const std::string_view needed : {"host", "x-sdk-date"}) {
        if (std::find(names.begin(), names.end(), needed) == names.end())
            return Bad(fmt::format("{} is not signed", needed));
    }
    const auto* date = request.header("X-Sdk-Date");
    const auto when = date ? parse_sdk_date(*date) : std::nullopt;
    if (!when) return Bad("X-Sdk-Date is missing or malformed");
    const auto seconds_now = std::chrono::floor<std::chrono::seconds>(now);
    if (seconds_now - *when > kClockSkewMax || *when - seconds_now > kClockSkewMax)
        return Bad("X-Sdk-Date is more than 15 minutes off");
    parsed->date = *date;
    const auto* content = request.header("X-Sdk-Content-Sha256");
    if (content && lower(*content) != to_hex(sha256(request.body)))
        return Bad("X-Sdk-Content-Sha256 is not the body's");
    return parsed;
}

tl::expected<std::string, std::string> canonical_request(const net::Request& request,
                                                         const std::vector<std::string>& signed_headers) {
    const auto target = split_target(request.target);
    const auto path = target ? canonical_path(target->path) : std::nullopt;
    const auto query = target ? canonical_query(target->query) : std::nullopt;
    if (!path || !query) return Bad("the request's target is malformed");
    std::string headers;
    for (const auto& name : signed_headers) {
        const auto* value = request.header(name);
        if (!value || request.count(name) != 1)
            return Bad(fmt::format("the signed header '{}' must be there once", name));
        headers += fmt::format("{}:{}\n", name, trim(*value));
    }
    return fmt::format("{}\n{}\n{}\n{}\n{}\n{}", request.method, *path, *query, headers, fmt::join(signed_headers, ";"),
                       to_hex(sha256(request.body)));
}

Sha256 signature_of(std::string_view canonical, std::string_view date, std::string_view secret) {
    return hmac_sha256(secret, fmt::format("{}\n{}\n{}", kSignatureAlgorithm, date, to_hex(sha256(canonical))));
}

}  // namespace drover::http
