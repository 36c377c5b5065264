// A bare TCP client for tests of the HTTP server: sends bytes as given, reads what comes until a condition or the end.
// One thread; every wait is bounded by kWaitMax. A connection that cannot be made throws std::runtime_error.
#pragma once
#include <arpa/inet.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "support/process.hpp"

namespace drover::test {

class RawClient {
public:
    // before: called once the socket is there and before it is connected.
    explicit RawClient(
        std::uint16_t port, const std::function<void()>& before = [] {})
        : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        before();
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(port);
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0)
            throw std::runtime_error("cannot connect");
    }
    ~RawClient() { ::close(fd_); }
    RawClient(const RawClient&) = delete;
    RawClient& operator=(const RawClient&) = delete;

    void send(std::string_view bytes) {
        while (!bytes.empty()) {
            const auto n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (n <= 0) return;  // the server has closed: what it said is still to be read
            bytes.remove_prefix(static_cast<std::size_t>(n));
        }
    }
    // From now on nothing that arrives is seen or acknowledged, as if this host had lost its power. False: not possible here.
    bool vanish() {
        sock_filter drop = BPF_STMT(BPF_RET | BPF_K, 0);
        const sock_fprog program{1, &drop};
        return ::setsockopt(fd_, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0;
    }
    // Everything up to the server's close.
    std::string read_all() {
        while (more()) {}
        return std::exchange(text_, {});
    }
    // Up to and with `part`; what came after it stays for the next read. "" when the connection ended without it.
    std::string read_until(std::string_view part) {
        while (true) {
            if (const auto at = text_.find(part); at != std::string::npos) {
                auto found = text_.substr(0, at + part.size());
                text_.erase(0, found.size());
                return found;
            }
            if (!more()) return {};
        }
    }
    // One whole answer: headers and as much body as Content-Length says.
    std::string read_answer() {
        auto answer = read_until("\r\n\r\n");
        const auto at = answer.find("Content-Length: ");
        const std::size_t length = at == std::string::npos ? 0 : std::stoul(answer.substr(at + 16));
        while (text_.size() < length && more()) {}
        answer += text_.substr(0, length);
        text_.erase(0, length);
        return answer;
    }

private:
    bool more() {
        pollfd p{fd_, POLLIN, 0};
        if (::poll(&p, 1, static_cast<int>(kWaitMax.count())) <= 0) return false;
        char bytes[4096];
        const auto n = ::recv(fd_, bytes, sizeof bytes, 0);
        if (n <= 0) return false;
        text_.append(bytes, static_cast<std::size_t>(n));
        return true;
    }
    int fd_;
    std::string text_;
};

}  // namespace drover::test
