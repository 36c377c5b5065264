// Addresses of phones as they stand in an inventory.
#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/ascii.hpp"
#include "fleet/inventory.hpp"

namespace drover::fleet {
namespace {

tl::unexpected<Error> wrong(std::string_view text, std::string_view why) {
    return fail(Code::bad_inventory, fmt::format("'{}' is not an address: {}", text, why));
}

// 1-4.2: a bus, a port, and the ports of hubs below; no leading zeros.
bool valid_usb_path(std::string_view path) {
    constexpr std::size_t kHubLevelsMax = 7;  // what USB allows, the root included
    std::size_t numbers = 0;
    while (!path.empty()) {
        std::size_t n = 0;
        while (n < path.size() && is_digit(path[n])) ++n;
        if (n == 0 || n > 3 || path[0] == '0') return false;
        ++numbers;
        path.remove_prefix(n);
        if (path.empty()) break;
        if (path[0] != (numbers == 1 ? '-' : '.') || path.size() == 1) return false;
        path.remove_prefix(1);
    }
    return numbers >= 2 && numbers <= kHubLevelsMax;
}

bool valid_serial(std::string_view serial) {
    if (serial.empty() || serial.size() > kSerialBytesMax || serial.front() == ' ' || serial.back() == ' ')
        return false;
    return std::all_of(serial.begin(), serial.end(), [](char c) { return c >= 0x20 && c < 0x7F; });
}

bool valid_ipv6(const std::string& host) {
    const std::size_t zone = host.find('%');
    if (zone != std::string::npos) {
        const std::string_view name = std::string_view(host).substr(zone + 1);
        const bool good = std::all_of(name.begin(), name.end(),
                                      [](char c) { return is_alnum(c) || c == '.' || c == '_' || c == '-'; });
        if (name.empty() || !good) return false;
    }
    in6_addr address{};
    return inet_pton(AF_INET6, host.substr(0, zone).c_str(), &address) == 1;
}

bool is_ipv4(const std::string& host) {
    in_addr address{};
    return inet_pton(AF_INET, host.c_str(), &address) == 1;
}

std::optional<std::string> why_bad_host(const std::string& host) {
    constexpr std::size_t kHostBytesMax = 253;
    if (host.empty()) return "the host is missing";
    if (host.size() > kHostBytesMax) return "the host name is too long";
    const bool numeric = std::all_of(host.begin(), host.end(), [](char c) { return is_digit(c) || c == '.'; });
    if (numeric) {
        if (!is_ipv4(host)) return fmt::format("'{}' is no IPv4 address", host);
        return std::nullopt;
    }
    const bool name = is_alnum(host[0]) && std::all_of(host.begin(), host.end(), [](char c) {
                          return is_alnum(c) || c == '.' || c == '-' || c == '_';
                      });
    if (!name) return fmt::format("'{}' is no host name", host);
    return std::nullopt;
}

Result<Address> parse_tcp(std::string_view text) {
    constexpr std::string_view kForm = "write host:port, such as 10.0.0.5:5555 or [fe80::1]:5555";
    const std::size_t colon = text.rfind(':');
    const bool bracketed = !text.empty() && text[0] == '[';
    if (colon == std::string_view::npos || (bracketed && (colon == 0 || text[colon - 1] != ']'))) {
        return wrong(text, fmt::format("the port is missing; {}", kForm));
    }
    TcpAddress out;
    out.host = text.substr(0, colon);
    const std::string_view port = text.substr(colon + 1);
    unsigned number = 0;
    const auto [end, ec] = std::from_chars(port.data(), port.data() + port.size(), number);
    if (ec != std::errc() || end != port.data() + port.size() || number == 0 || number > 65535) {
        return wrong(text, fmt::format("'{}' is no port from 1 to 65535; {}", port, kForm));
    }
    out.port = static_cast<std::uint16_t>(number);
    if (bracketed) {
        out.host = out.host.substr(1, out.host.size() - 2);
        if (!valid_ipv6(out.host)) return wrong(text, fmt::format("'{}' is no IPv6 address", out.host));
        return Address{out};
    }
    if (out.host.find(':') != std::string::npos)
        return wrong(text, fmt::format("an IPv6 address needs brackets; {}", kForm));
    if (const auto why = why_bad_host(out.host)) return wrong(text, *why);
    return Address{out};
}

Result<Address> parse_usb(std::string_view text) {
    const std::string_view path = text.substr(4);
    if (!valid_usb_path(path)) return wrong(text, "write usb:BUS-PORT, such as usb:1-4.2");
    return Address{UsbPath{std::string(path)}};
}

Result<Address> parse_serial(std::string_view text) {
    if (!valid_serial(text)) {
        return wrong(text, fmt::format("a serial has 1 to {} printable ASCII characters", kSerialBytesMax));
    }
    return Address{Serial{std::string(text)}};
}

}  // namespace

Result<Address> parse_address(Via via, std::string_view text) {
    const bool usb = text.substr(0, 4) == "usb:";
    switch (via) {
        case Via::tcp: return parse_tcp(text);
        case Via::usb:
        case Via::server: return usb ? parse_usb(text) : parse_serial(text);
        case Via::automatic: break;
    }
    if (usb) return parse_usb(text);
    // An IPv4 address would be a serial too, of a phone that is never found.
    return text.find(':') != std::string_view::npos || is_ipv4(std::string(text)) ? parse_tcp(text)
                                                                                  : parse_serial(text);
}

Via resolve_via(Via via, const Address& address, bool server_runs) {
    if (via != Via::automatic) return via;
    if (std::holds_alternative<TcpAddress>(address)) return Via::tcp;
    return server_runs ? Via::server : Via::usb;
}

bool valid_label_key(std::string_view key) {
    if (key.empty() || key.size() > kLabelBytesMax || !is_alnum(key[0])) return false;
    return std::all_of(key.begin(), key.end(),
                       [](char c) { return is_alnum(c) || c == '.' || c == '_' || c == '-' || c == '/'; });
}

bool valid_label_value(std::string_view value) {
    if (value.size() > kLabelBytesMax) return false;
    return std::all_of(value.begin(), value.end(), [](char c) {
        return is_alnum(c) || std::string_view("._/:+@=~-").find(c) != std::string_view::npos;
    });
}

}  // namespace drover::fleet
