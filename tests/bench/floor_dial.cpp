#include "floor_dial.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "adb/banner.hpp"
#include "adb/packet.hpp"

namespace drover::bench {
namespace {

[[noreturn]] void give_up(const TcpAddress& to, std::string_view what) {
    fmt::print(stderr, "bench: {}:{}: {}: {}\n", to.host, to.port, what, std::strerror(errno));
    std::exit(1);
}

}  // namespace

int dial(const TcpAddress& to, bool delayed_ack) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(to.port);
    if (inet_pton(AF_INET, to.host.c_str(), &address.sin_addr) != 1) give_up(to, "not a numeric IPv4 address");
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int on = 1;
    if (fd < 0 || ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        give_up(to, "connect");
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);

    const std::string banner = adb::host_banner(adb::host_features(delayed_ack));
    std::vector<std::uint8_t> hello;
    adb::append_packet(hello, adb::Command::cnxn, adb::kVersionNoChecksum, adb::kMaxPayloadBytes, as_bytes(banner),
                       true);
    if (::send(fd, hello.data(), hello.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(hello.size())) give_up(to, "send");
    std::uint8_t raw[adb::kHeaderBytes];
    if (::recv(fd, raw, sizeof raw, MSG_WAITALL) != static_cast<ssize_t>(sizeof raw)) give_up(to, "no CNXN");
    const adb::Header header = adb::decode_header(raw);
    if (!header.is(adb::Command::cnxn) || header.length > adb::kOldPayloadBytes) give_up(to, "it wants more than CNXN");
    std::vector<std::uint8_t> theirs(header.length);
    if (::recv(fd, theirs.data(), theirs.size(), MSG_WAITALL) != static_cast<ssize_t>(theirs.size()))
        give_up(to, "no banner");
    if (adb::parse_banner(as_text(theirs)).features.has("delayed_ack") != delayed_ack && delayed_ack)
        give_up(to, "no delayed_ack");
    if (::fcntl(fd, F_SETFL, O_NONBLOCK) != 0) give_up(to, "fcntl");
    return fd;
}

}  // namespace drover::bench
