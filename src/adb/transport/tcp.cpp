#include "adb/transport/tcp.hpp"

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/poll_set.hpp"
#include "base/prefetch.hpp"

namespace drover::adb {
namespace {

void set_option(int fd, int level, int name, int value) {
    // Best effort: a socket without keepalive still works, deadlines find a dead phone then.
    (void)::setsockopt(fd, level, name, &value, sizeof value);
}

}  // namespace

// Shared with calls under way, so that a transport can be destroyed inside any of them.
struct TcpTransport::State final : PollHandler, std::enable_shared_from_this<State> {
    State(Loop& l, int f, TransportSink& s) : loop(l), polls(PollSet::of(l)), fd(f), sink(&s) {
        set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
        set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
        set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, kKeepIdleSeconds);
        set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, kKeepIntervalSeconds);
        set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, kKeepProbes);
        set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, kUnackedMaxMs);
    }

    void start() {
        if (polls.add(fd, *this)) {
            watched = true;
            return;
        }
        // Told later, as any loss: the owner is still setting itself up.
        loop.post([self = shared_from_this(), why = std::string(std::strerror(errno))] {
            self->lost(fmt::format("the socket cannot be watched: {}", why));
        });
    }

    void close() {
        sink = nullptr;
        if (watched) polls.remove(fd, *this);
        ::close(fd);
    }

    void lost(std::string why) {
        if (TransportSink* s = std::exchange(sink, nullptr)) s->on_lost(Error(Code::link_lost, std::move(why)));
    }
    void lost_by_error() { lost(fmt::format("connection lost: {}", std::strerror(errno))); }

    void expect_poll(std::size_t before) override {
        if (!sink) return;
        if (before > 1) return prefetch(sink, kCacheLineBytes);
        sink->expect_bytes();
    }

    void on_poll(PollEvents events) override {
        const auto self = shared_from_this();
        if (events.writable && !backlog.empty()) send_backlog();
        if (events.readable && sink) read(events.hung_up);
    }

    void read(bool hung_up) {
        auto& buffer = loop.read_buffer();
        std::size_t budget = kReadBudgetBytes;
        while (sink) {
            if (budget == 0) {
                // The kernel does not tell a second time of what is left.
                loop.post([self = shared_from_this(), hung_up] { self->read(hung_up); });
                return;
            }
            const ssize_t n = ::recv(fd, buffer.data(), buffer.size(), 0);
            if (n < 0) {
                if (errno == EINTR) continue;
                if (errno == EAGAIN || errno == EWOULDBLOCK) return;
                return lost_by_error();
            }
            if (n == 0) return lost("connection closed by the phone");
            const auto got = static_cast<std::size_t>(n);
            sink->on_bytes({buffer.data(), got});
            budget -= std::min(budget, got);
            if (got < buffer.size() && !hung_up) return;
        }
    }

    // Sends what it can; false: the socket is broken.
    bool send_some(ByteView bytes, std::size_t& sent) {
        sent = 0;
        while (sent < bytes.size()) {
            const ssize_t n = ::send(fd, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
            if (n >= 0) {
                sent += static_cast<std::size_t>(n);
            } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
                return true;
            } else if (errno != EINTR) {
                return false;
            }
        }
        return true;
    }

    void send_backlog() {
        std::size_t sent = 0;
        if (!send_some(backlog, sent)) return lost_by_error();
        backlog.erase(backlog.begin(), backlog.begin() + static_cast<std::ptrdiff_t>(sent));
    }

    Loop& loop;
    PollSet& polls;
    const int fd;
    TransportSink* sink;
    bool watched = false;
    std::vector<std::uint8_t> backlog;  // the kernel says when it takes more
};

TcpTransport::TcpTransport(Loop& loop, int fd, TransportSink& sink) : state_(std::make_shared<State>(loop, fd, sink)) {}

TcpTransport::~TcpTransport() { state_->close(); }

void TcpTransport::start() { state_->start(); }

std::size_t TcpTransport::queued() const { return state_->backlog.size(); }

void TcpTransport::write(std::vector<std::uint8_t>& packets) {
    State& s = *state_;
    std::size_t sent = 0;
    if (s.backlog.empty() && !s.send_some(packets, sent)) {
        // Reported from the read side: the caller may be inside one of our callbacks.
        packets.clear();
        ::shutdown(s.fd, SHUT_RDWR);
        return;
    }
    s.backlog.insert(s.backlog.end(), packets.begin() + static_cast<std::ptrdiff_t>(sent), packets.end());
    packets.clear();
}

}  // namespace drover::adb
