// Real sockets on loopback: dialling, reading, back-pressure, ends.
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <unistd.h>

#include <future>

#include "adb/transport/tcp.hpp"
#include "adb/transport/tcp_dialler.hpp"
#include "support/listener.hpp"

namespace drover::test {
namespace {

struct NotedBytes final : adb::TransportSink {
    std::promise<std::string> got;
    std::promise<Error> lost;
    std::size_t want = 1;
    std::string bytes;

    void on_bytes(ByteView b) override {
        const bool before = bytes.size() < want;
        bytes += as_text(b);
        if (before && bytes.size() >= want) got.set_value(bytes);
    }
    void on_lost(const Error& why) override { lost.set_value(why); }
};

class TcpTest : public ::testing::Test {
protected:
    Result<int> dial(TcpAddress address) {
        std::promise<Result<int>> result;
        std::unique_ptr<adb::TcpDialler> dialler;
        pool.run_on(0, [&] {
            dialler = std::make_unique<adb::TcpDialler>(pool.at(0), std::move(address));
            dialler->start([&](Result<int> r) { result.set_value(std::move(r)); });
        });
        auto r = result.get_future().get();
        pool.run_on(0, [&] { dialler.reset(); });
        return r;
    }
    // A transport connected to the listener; the test holds the other end.
    void connect() {
        const auto fd = dial({"127.0.0.1", listener.port});
        ASSERT_TRUE(fd);
        peer = listener.accept();
        pool.run_on(0, [&] {
            transport = std::make_unique<adb::TcpTransport>(pool.at(0), *fd, sink);
            transport->start();
        });
    }
    void TearDown() override {
        pool.run_on(0, [&] { transport.reset(); });
        if (peer >= 0) ::close(peer);
    }

    LoopPool pool{1};
    Listener listener;
    NotedBytes sink;
    std::unique_ptr<adb::TcpTransport> transport;
    int peer = -1;
};

TEST_F(TcpTest, RefusedNamesTheAddress) {
    std::uint16_t port = 0;
    {
        const Listener closed;
        port = closed.port;
    }
    const auto r = dial({"127.0.0.1", port});
    ASSERT_FALSE(r);
    EXPECT_EQ(r.error().code, Code::phone_not_found);
    EXPECT_EQ(r.error().message, "cannot connect to 127.0.0.1:" + std::to_string(port) + ": Connection refused");
}

TEST_F(TcpTest, NamesAreResolvedOffTheLoopAndEveryAddressIsTried) {
    // localhost may be ::1 first, where nobody listens.
    const auto good = dial({"localhost", listener.port});
    ASSERT_TRUE(good) << good.error().message;
    ::close(*good);
    const auto bad = dial({"no-such-host.invalid", 5555});
    ASSERT_FALSE(bad);
    EXPECT_THAT(bad.error().message, ::testing::StartsWith("cannot resolve no-such-host.invalid:5555"));
}

TEST_F(TcpTest, ALookupOutlivesItsDiallerAndItsLoop) {
    auto other = std::make_unique<LoopPool>(1);
    std::unique_ptr<adb::TcpDialler> dialler;
    other->run_on(0, [&] {
        dialler = std::make_unique<adb::TcpDialler>(other->at(0), TcpAddress{"no-such-host.invalid", 1});
        dialler->start([](const Result<int>&) { FAIL() << "called after its end"; });
        dialler.reset();
    });
    other.reset();
}

TEST_F(TcpTest, BytesGoBothWays) {
    sink.want = 5;
    connect();
    ASSERT_EQ(::send(peer, "hello", 5, 0), 5);
    EXPECT_EQ(sink.got.get_future().get(), "hello");
    std::vector<std::uint8_t> out{'a', 'b', 'c'};
    pool.run_on(0, [&] {
        transport->write(out);
        EXPECT_TRUE(out.empty());
    });
    char in[8];
    ASSERT_EQ(::recv(peer, in, 3, MSG_WAITALL), 3);
    EXPECT_EQ(std::string(in, 3), "abc");
}

TEST_F(TcpTest, WhatThePeerDoesNotTakeIsQueuedAndArrivesInOrder) {
    connect();
    constexpr std::size_t kPiece = 64 * 1024, kPieces = 128;
    pool.run_on(0, [&] {
        for (std::size_t i = 0; i < kPieces; ++i) {
            std::vector<std::uint8_t> piece(kPiece, static_cast<std::uint8_t>(i));
            transport->write(piece);
        }
        EXPECT_GT(transport->queued(), 0u);
    });
    std::vector<std::uint8_t> got(kPiece * kPieces);
    ASSERT_EQ(::recv(peer, got.data(), got.size(), MSG_WAITALL), static_cast<ssize_t>(got.size()));
    for (std::size_t i = 0; i < got.size(); ++i) ASSERT_EQ(got[i], static_cast<std::uint8_t>(i / kPiece)) << i;
}

TEST_F(TcpTest, DataThatCameWithTheEndIsNotLost) {
    sink.want = 3;
    connect();
    ASSERT_EQ(::send(peer, "end", 3, 0), 3);
    ::close(peer);
    peer = -1;
    EXPECT_EQ(sink.got.get_future().get(), "end");
    const Error why = sink.lost.get_future().get();
    EXPECT_EQ(why.code, Code::link_lost);
    EXPECT_EQ(why.message, "connection closed by the phone");
}

TEST_F(TcpTest, ResetIsReportedOnce) {
    connect();
    const linger hard{1, 0};
    ::setsockopt(peer, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    ::close(peer);
    peer = -1;
    EXPECT_THAT(sink.lost.get_future().get().message, ::testing::HasSubstr("reset"));
}

TEST_F(TcpTest, WritingToADeadPeerEndsInLost) {
    connect();
    ::close(peer);
    peer = -1;
    auto lost = sink.lost.get_future();
    pool.run_on(0, [&] {
        for (int i = 0; i < 3; ++i) {
            std::vector<std::uint8_t> out(100);
            transport->write(out);
        }
    });
    EXPECT_EQ(lost.get().code, Code::link_lost);
}

TEST_F(TcpTest, ADestroyedDiallerStaysSilent) {
    pool.run_on(0, [&] {
        adb::TcpDialler dialler(pool.at(0), {"127.0.0.1", listener.port});
        dialler.start([](const Result<int>&) { FAIL() << "called after its end"; });
    });
    pool.run_on(0, [] {});
    // The connection it may have made is closed again: the accepted end sees its end.
    peer = listener.accept();
    char c = 0;
    EXPECT_LE(::recv(peer, &c, 1, 0), 0);
}

}  // namespace
}  // namespace drover::test
