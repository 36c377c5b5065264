#include "adb_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <memory>

namespace drover::test {
namespace {

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

std::uint16_t free_port() {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    auto address = loopback(0);
    socklen_t size = sizeof address;
    const bool ok = ::bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                    ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0;
    ::close(fd);
    if (!ok) throw std::runtime_error("no free port");
    return ntohs(address.sin_port);
}

bool listens(std::uint16_t port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const auto address = loopback(port);
    const bool ok = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    ::close(fd);
    return ok;
}

}  // namespace

AdbServer::AdbServer() {
    const auto port = free_port();
    socket_ = fmt::format("tcp:localhost:{}", port);
    ProcessOptions options;
    options.argv = {"adb", "-L", socket_, "nodaemon", "server"};
    options.env = {{"HOME", home_.path().string()},
                   {"ADB_LOCAL_TRANSPORT_MAX_PORT", "5554"},  // no search for emulators
                   {"ADB_VENDOR_KEYS", std::nullopt},
                   {"ANDROID_ADB_SERVER_PORT", std::nullopt}};
    process_ = std::make_unique<Process>(std::move(options));
    const auto deadline = std::chrono::steady_clock::now() + kWaitMax;
    while (!listens(port)) {
        if (std::chrono::steady_clock::now() > deadline || process_->wait(std::chrono::milliseconds(20))) {
            throw std::runtime_error("the adb server does not listen: " + process_->err());
        }
    }
}

Finished AdbServer::adb(std::vector<std::string> args) const {
    ProcessOptions options;
    options.argv = std::move(args);
    options.argv.insert(options.argv.begin(), "adb");
    options.env = {{"HOME", home_.path().string()}, {"ADB_SERVER_SOCKET", socket_}, {"ANDROID_SERIAL", std::nullopt}};
    return run(std::move(options));
}

}  // namespace drover::test
