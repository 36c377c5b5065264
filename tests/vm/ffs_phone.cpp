// vm_ffs_phone MOUNT PORT MARK: a USB phone of the guest's own gadget stack. Moves packets between the FunctionFS at MOUNT and the
// virtual phone at 127.0.0.1:PORT; writes the file MARK whenever the phone says something on a stream. Prints "ready" when the
// gadget may be bound, and a line for every rule of adbd's that the host broke.
//
// Endpoint files cannot be polled, so each direction is a thread that blocks: to the host, from the host, and ep0's events.
#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "adb/packet.hpp"
#include "usb/adbd_usb.hpp"
#include "vm/ffs_function.hpp"

namespace drover::test {
namespace {

UniqueFd dial(std::uint16_t port) {
    UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (!fd || ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        throw std::system_error(errno, std::generic_category(), "the virtual phone");
    const int on = 1;
    ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

bool put(int fd, ByteView bytes) {
    while (!bytes.empty()) {
        const ssize_t n = ::write(fd, bytes.data(), bytes.size());
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        bytes = bytes.subspan(static_cast<std::size_t>(n));
    }
    return true;
}

// Until the phone closes the connection or the endpoint is shut down.
void phone_to_host(int phone, int endpoint, const std::string& mark) {
    bool fine = true;
    PhonePackets packets([&](ByteView packet) {
        if (adb::decode_header(packet.data()).is(adb::Command::wrte)) {
            const UniqueFd file(::open(mark.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
        }
        // One transfer each, as adbd does.
        fine = fine && put(endpoint, packet.first(adb::kHeaderBytes));
        const ByteView payload = packet.subspan(adb::kHeaderBytes);
        if (!payload.empty()) fine = fine && put(endpoint, payload);
    });
    std::vector<std::uint8_t> buffer(64 * 1024);
    while (fine) {
        const ssize_t n = ::read(phone, buffer.data(), buffer.size());
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return;
        packets.feed(ByteView(buffer).first(static_cast<std::size_t>(n)));
    }
}

// Until the endpoint is shut down: the cable was pulled.
void host_to_phone(int endpoint, int phone) {
    HostBlocks blocks(
        512, [&](ByteView packet, std::size_t) { put(phone, packet); },
        [](const std::string& why) {
            fmt::print("violation: {}\n", why);
            std::fflush(stdout);
        });
    std::vector<std::uint8_t> buffer(kAdbdBlockBytes);
    for (;;) {
        const ssize_t n = ::read(endpoint, buffer.data(), buffer.size());
        if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        if (n < 0) return;
        blocks.on_block(ByteView(buffer).first(static_cast<std::size_t>(n)));
    }
}

}  // namespace
}  // namespace drover::test

int main(int argc, char** argv) {
    using namespace drover::test;
    if (argc != 4) return 2;
    FfsFunction function(argv[1]);
    const auto port = static_cast<std::uint16_t>(std::atoi(argv[2]));
    fmt::print("ready\n");
    std::fflush(stdout);
    std::thread([&function] {
        for (bool enabled = false; function.next_event(enabled);) continue;
    }).detach();
    // A read of a disabled endpoint waits until the host configures the gadget.
    for (;;) {
        const auto phone = dial(port);
        std::thread out([&] { phone_to_host(phone.get(), function.to_host.get(), argv[3]); });
        host_to_phone(function.from_host.get(), phone.get());
        ::shutdown(phone.get(), SHUT_RDWR);
        out.join();
    }
}
