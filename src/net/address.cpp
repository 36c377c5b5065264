#include "net/address.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <charconv>
#include <optional>

namespace drover::net {
namespace {

std::optional<std::uint16_t> parse_port(std::string_view text) {
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return port;
}

bool is_host(std::string_view text) {
    return !text.empty() && text.size() <= 255 &&
           text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:%") ==
               std::string_view::npos;
}

// host[:port], [ipv6][:port]
Result<ListenAddress> parse_authority(std::string_view text, std::optional<std::uint16_t> default_port) {
    const auto wrong = [&](std::string_view why) { return fail(Code::usage, fmt::format("'{}': {}", text, why)); };
    ListenAddress a;
    std::string_view rest;
    if (text.starts_with('[')) {
        const auto close = text.find(']');
        if (close == std::string_view::npos) return wrong("']' is missing");
        a.host = text.substr(1, close - 1);
        if (a.host.find(':') == std::string::npos) return wrong("only an IPv6 address goes into [ ]");
        rest = text.substr(close + 1);
    } else {
        const auto colon = text.rfind(':');
        if (colon != std::string_view::npos && text.find(':') != colon) return wrong("put an IPv6 address into [ ]");
        a.host = text.substr(0, colon);
        rest = colon == std::string_view::npos ? "" : text.substr(colon);
    }
    if (!is_host(a.host)) return wrong("that is no host; write host:port");
    if (rest.empty()) {
        if (!default_port) return wrong("the port is missing; write host:port");
        a.port = *default_port;
        return a;
    }
    const auto port = rest.starts_with(':') ? parse_port(rest.substr(1)) : std::nullopt;
    if (!port) return wrong("the port must be a number from 0 to 65535");
    a.port = *port;
    return a;
}

Result<ListenAddress> parse_unix(std::string_view path) {
    if (!path.starts_with('/') || path.size() > kUnixPathBytesMax || path.find('\0') != std::string_view::npos) {
        return fail(Code::usage, fmt::format("'{}': a Unix socket needs an absolute path of at most {} bytes", path,
                                             kUnixPathBytesMax));
    }
    ListenAddress a;
    a.path = path;
    return a;
}

}  // namespace

Result<ListenAddress> parse_listen_address(std::string_view text) {
    if (text.starts_with("unix:")) return parse_unix(text.substr(5));
    return parse_authority(text, std::nullopt);
}

std::string to_string(const ListenAddress& a) {
    if (a.is_unix()) return "unix:" + a.path;
    return a.host.find(':') == std::string::npos ? fmt::format("{}:{}", a.host, a.port)
                                                 : fmt::format("[{}]:{}", a.host, a.port);
}

bool is_loopback(const ListenAddress& address) {
    if (address.is_unix() || address.host == "localhost") return true;
    boost::system::error_code error;
    const auto ip = boost::asio::ip::make_address(address.host, error);
    return !error && ip.is_loopback();
}

std::string Url::host_header() const {
    if (address.is_unix()) return "localhost";
    const auto text = to_string(address);
    const auto usual = tls ? ":443" : ":80";
    return text.ends_with(usual) ? text.substr(0, text.rfind(':')) : text;
}

Result<Url> parse_url(std::string_view text) {
    Url url;
    if (text.starts_with("unix:")) {
        auto address = parse_unix(text.substr(5));
        if (!address) return tl::unexpected(address.error());
        url.address = std::move(*address);
        return url;
    }
    url.tls = text.starts_with("https://");
    if (!url.tls && !text.starts_with("http://")) {
        return fail(Code::usage, fmt::format("'{}': write http://HOST:PORT, https://HOST or unix:/PATH", text));
    }
    auto rest = text.substr(url.tls ? 8 : 7);
    const auto is_control = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
    if (rest.find_first_of("@?# ") != std::string_view::npos || std::any_of(rest.begin(), rest.end(), is_control)) {
        return fail(Code::usage, fmt::format("'{}': only host, port and path may stand in this URL", text));
    }
    const auto slash = rest.find('/');
    auto address = parse_authority(rest.substr(0, slash), url.tls ? 443 : 80);
    if (!address) return tl::unexpected(address.error());
    url.address = std::move(*address);
    if (slash != std::string_view::npos) url.base_path = rest.substr(slash);
    while (url.base_path.ends_with('/')) url.base_path.pop_back();
    return url;
}

}  // namespace drover::net
