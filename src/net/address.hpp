// Where a server listens and a client connects: a TCP address or a Unix socket. Pure values; any thread.
// Failure: Code::usage with what is wrong, without a position.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "drover/error.hpp"

namespace drover::net {

constexpr std::size_t kUnixPathBytesMax = 107;  // what the kernel takes

struct ListenAddress {
    std::string host;        // numeric or a name, without brackets; empty for a Unix socket
    std::uint16_t port = 0;  // 0: any
    std::string path;        // of a Unix socket

    bool is_unix() const { return !path.empty(); }
};

// "127.0.0.1:8090", "[::1]:8090", "localhost:0", "unix:/run/drover/drover.sock"
Result<ListenAddress> parse_listen_address(std::string_view text);
std::string to_string(const ListenAddress& address);
// 127/8, ::1 and "localhost"; a Unix socket too.
bool is_loopback(const ListenAddress& address);

struct Url {
    bool tls = false;
    ListenAddress address;
    std::string base_path;  // "" or "/prefix", without a final slash
    std::string host_header() const;
};
// "http://host:port/prefix", "https://host", "unix:/path". User names, queries and fragments are refused.
Result<Url> parse_url(std::string_view text);

}  // namespace drover::net
