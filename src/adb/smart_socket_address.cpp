// Where the adb server is: the rules of AOSP's socket_spec.cpp and client/main.cpp, as far as a client needs them.
#include <fmt/format.h>

#include <charconv>
#include <cstdlib>
#include <optional>

#include "adb/smart_socket.hpp"

namespace drover::adb {
namespace {

constexpr std::size_t kLocalNameBytesMax = 106;  // sockaddr_un, less the NUL before or behind the name

std::optional<std::uint16_t> parse_port(std::string_view text) {
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (error != std::errc() || end != text.data() + text.size() || port == 0) return std::nullopt;
    return port;
}

Result<ServerAddress> parse_tcp(std::string_view spec, std::string_view whole) {
    const auto wrong = [&] {
        return fail(
            Code::usage,
            fmt::format("adb server address '{}': write tcp:PORT or tcp:HOST:PORT, with a port of 1 to 65535", whole));
    };
    ServerAddress address;
    const auto colon = spec.rfind(':');
    const auto port = parse_port(colon == std::string_view::npos ? spec : spec.substr(colon + 1));
    if (!port) return wrong();
    address.port = *port;
    if (colon == std::string_view::npos) return address;
    std::string_view host = spec.substr(0, colon);
    const bool bracketed = host.starts_with('[') && host.ends_with(']') && host.size() > 2;
    if (bracketed) host = host.substr(1, host.size() - 2);
    if (host.empty() || (!bracketed && host.find_first_of(":[]") != std::string_view::npos)) return wrong();
    address.host = host == "localhost" ? "127.0.0.1" : host;
    return address;
}

}  // namespace

std::string to_string(const ServerAddress& address) {
    switch (address.kind) {
        case ServerAddress::Kind::local_file: return "localfilesystem:" + address.host;
        case ServerAddress::Kind::local_abstract: return "localabstract:" + address.host;
        case ServerAddress::Kind::tcp: break;
    }
    const bool v6 = address.host.find(':') != std::string::npos;
    return v6 ? fmt::format("[{}]:{}", address.host, address.port) : fmt::format("{}:{}", address.host, address.port);
}

Result<ServerAddress> parse_server_address(std::string_view text) {
    using Kind = ServerAddress::Kind;
    if (text.starts_with("tcp:")) return parse_tcp(text.substr(4), text);
    // On a host, local: is the file system as well.
    for (const auto& [prefix, kind] : {std::pair<std::string_view, Kind>{"localfilesystem:", Kind::local_file},
                                       {"localabstract:", Kind::local_abstract},
                                       {"local:", Kind::local_file}}) {
        if (!text.starts_with(prefix)) continue;
        const std::string_view name = text.substr(prefix.size());
        if (name.empty() || name.size() > kLocalNameBytesMax || name.find('\0') != std::string_view::npos) {
            return fail(Code::usage, fmt::format("adb server address '{}': the name must have 1 to {} bytes", text,
                                                 kLocalNameBytesMax));
        }
        ServerAddress address;
        address.kind = kind;
        address.host = name;
        address.port = 0;
        return address;
    }
    return fail(Code::usage,
                fmt::format("adb server address '{}': write tcp:PORT, tcp:HOST:PORT, localfilesystem:PATH or "
                            "localabstract:NAME",
                            text));
}

Result<ServerAddress> server_address(const char* server_socket, const char* address, const char* port) {
    if (server_socket && *server_socket) return parse_server_address(server_socket);
    ServerAddress result;
    if (address && *address) result.host = address;
    if (result.host == "localhost") result.host = "127.0.0.1";
    if (port && *port) {
        const auto number = parse_port(port);
        if (!number)
            return fail(Code::usage, fmt::format("ANDROID_ADB_SERVER_PORT is '{}', not a port of 1 to 65535", port));
        result.port = *number;
    }
    return result;
}

Result<ServerAddress> server_address_from_environment() {
    return server_address(std::getenv("ADB_SERVER_SOCKET"), std::getenv("ANDROID_ADB_SERVER_ADDRESS"),
                          std::getenv("ANDROID_ADB_SERVER_PORT"));
}

}  // namespace drover::adb
