// A listening socket on a loopback port of the kernel's choice; blocking. The test owns it and what accept() returns.
#pragma once
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>

namespace drover::test {

class Listener {
public:
    Listener() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in a{};
        a.sin_family = AF_INET;
        a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        EXPECT_EQ(::bind(fd_, reinterpret_cast<sockaddr*>(&a), sizeof a), 0);
        EXPECT_EQ(::listen(fd_, 8), 0);
        socklen_t n = sizeof a;
        EXPECT_EQ(::getsockname(fd_, reinterpret_cast<sockaddr*>(&a), &n), 0);
        port = ntohs(a.sin_port);
    }
    ~Listener() { ::close(fd_); }
    int accept() { return ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC); }
    std::uint16_t port = 0;

private:
    int fd_;
};

}  // namespace drover::test
