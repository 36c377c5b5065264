// A scripted adb server for tests: blocking sockets, one thread a connection, on a loopback port of its own.
// The script runs on the connection's thread; the connection closes when it returns. Every read ends after kPatience.
#pragma once
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <future>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

#include "adb/server_socket.hpp"

namespace drover::adb::test {

constexpr int kPatienceMs = 20'000;

class FakeConnection {
public:
    explicit FakeConnection(int fd) : fd_(fd) {}
    // The next request; nullopt at the end of the connection.
    std::optional<std::string> request() {
        const std::string digits = read(4);
        if (digits.size() < 4) return std::nullopt;
        return read(std::strtoul(digits.c_str(), nullptr, 16));
    }
    std::string read(std::size_t bytes) {
        std::string text;
        char buffer[65536];
        while (text.size() < bytes) {
            pollfd p{fd_, POLLIN, 0};
            if (::poll(&p, 1, kPatienceMs) <= 0) break;
            const ssize_t n = ::recv(fd_, buffer, std::min(bytes - text.size(), sizeof buffer), 0);
            if (n <= 0) break;
            text.append(buffer, static_cast<std::size_t>(n));
        }
        return text;
    }
    // False when the client is gone.
    bool send(std::string_view text) {
        while (!text.empty()) {
            const ssize_t n = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
            if (n <= 0) return false;
            text.remove_prefix(static_cast<std::size_t>(n));
        }
        return true;
    }
    bool send_body(std::string_view body) {
        char length[16];
        std::snprintf(length, sizeof length, "%04zx", body.size());
        return send("OKAY" + std::string(length) + std::string(body));
    }
    bool fail(std::string_view why) {
        char length[16];
        std::snprintf(length, sizeof length, "%04zx", why.size());
        return send("FAIL" + std::string(length) + std::string(why));
    }
    // Waits until the client has closed.
    void wait_closed() { read(~std::size_t{0}); }
    // The next close() resets the connection instead of ending it.
    void reset_at_close() {
        const linger hard{1, 0};
        ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    }

private:
    int fd_;
};

class FakeServer {
public:
    using Script = std::function<void(FakeConnection&)>;

    explicit FakeServer(Script script, std::uint16_t port = 0) : script_(std::move(script)) {
        listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const int on = 1;
        ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        address.sin_port = htons(port);
        socklen_t size = sizeof address;
        if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener_, 64) != 0) {
            throw std::runtime_error("cannot listen");
        }
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
        port_ = ntohs(address.sin_port);
        acceptor_ = std::thread([this] { accept_all(); });
    }
    ~FakeServer() {
        ::shutdown(listener_, SHUT_RDWR);
        acceptor_.join();
        ::close(listener_);
        {
            const std::lock_guard lock(mutex_);
            for (const auto& [fd, open] : open_) {
                if (open) ::shutdown(fd, SHUT_RDWR);
            }
        }
        for (auto& thread : threads_) thread.join();
    }
    FakeServer(const FakeServer&) = delete;
    FakeServer& operator=(const FakeServer&) = delete;

    std::uint16_t port() const { return port_; }
    int connections() const { return connections_; }
    ServerEndpoint endpoint() const { return endpoint_at(port_); }
    static ServerEndpoint endpoint_at(std::uint16_t port) {
        ServerAddress address;
        address.port = port;
        return resolve(address).value();
    }

private:
    void accept_all() {
        for (;;) {
            const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
            if (fd < 0) return;
            ++connections_;
            const std::lock_guard lock(mutex_);
            open_[fd] = true;
            threads_.emplace_back([this, fd] {
                FakeConnection connection(fd);
                script_(connection);
                const std::lock_guard end_lock(mutex_);
                open_[fd] = false;
                ::close(fd);
            });
        }
    }

    Script script_;
    int listener_ = -1;
    std::uint16_t port_ = 0;
    std::atomic<int> connections_ = 0;
    std::mutex mutex_;
    std::map<int, bool> open_;
    std::list<std::thread> threads_;
    std::thread acceptor_;
};

// A server with one phone, transport id 7.
struct FakePhone {
    std::string features = "shell_v2,cmd,delayed_ack";
    std::string state = "device";
    std::string transport_fail;                                        // answer to host:transport-id
    std::function<void(FakeConnection&, const std::string&)> service;  // the connection, and what was asked for

    void operator()(FakeConnection& c) const {
        const auto request = c.request();
        if (!request) return;
        if (*request == "host:host-features") {
            c.send_body("shell_v2,cmd,abb");
        } else if (*request == "host-transport-id:7:features") {
            transport_fail.empty() ? c.send_body(features) : c.fail(transport_fail);
        } else if (*request == "host-transport-id:7:get-state") {
            state.empty() ? c.fail("device offline") : c.send_body(state);
        } else if (*request == "host:transport-id:7") {
            if (!transport_fail.empty()) {
                c.fail(transport_fail);
                return;
            }
            c.send("OKAY");
            if (const auto name = c.request(); name && service) service(c, *name);
        } else {
            c.fail("unknown host service");
        }
    }
};

}  // namespace drover::adb::test
