// A client that keeps connections of an HTTP server busy and does nothing else: one thread, epoll, keep-alive.
//
//   bench_http --port P --request FILE [--connections C] [--requests N]
//     sends the bytes of FILE again and again on C connections, N times in all; prints one line of JSON
//   bench_http --port P --request FILE --connections C --hold
//     one request on each, says "held", and keeps the connections open until its stdin ends
#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "meter.hpp"

namespace drover::bench {
namespace {

[[noreturn]] void give_up(std::string_view why) {
    fmt::print(stderr, "bench_http: {}\n", why);
    std::exit(1);
}

struct Options {
    std::uint16_t port = 0;
    std::size_t connections = 1, requests = 1;
    std::string request;
    bool hold = false;
};

std::size_t number(std::string_view text) {
    std::size_t value = 0;
    if (std::from_chars(text.data(), text.data() + text.size(), value).ec != std::errc()) give_up("not a number");
    return value;
}

Options parse(int argc, char** argv) {
    Options o;
    for (int i = 1; i < argc; ++i) {
        const std::string_view name = argv[i];
        if (name == "--hold") {
            o.hold = true;
            continue;
        }
        if (i + 1 == argc) give_up("a value is missing");
        const std::string value = argv[++i];
        if (name == "--port") o.port = static_cast<std::uint16_t>(number(value));
        if (name == "--connections") o.connections = number(value);
        if (name == "--requests") o.requests = number(value);
        if (name == "--request") {
            std::ifstream stream(value, std::ios::binary);
            o.request.assign(std::istreambuf_iterator<char>(stream), {});
        }
    }
    if (o.request.empty() || o.port == 0) give_up("--port and --request are needed");
    if (o.hold) o.requests = o.connections;
    return o;
}

class Load {
public:
    explicit Load(const Options& o) : o_(o), connections_(o.connections) {}

    void connect_all() {
        for (std::size_t i = 0; i < connections_.size(); ++i) {
            const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
            sockaddr_in to{};
            to.sin_family = AF_INET;
            to.sin_port = htons(o_.port);
            to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
            if (fd < 0 || ::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0)
                give_up(fmt::format("connection {} could not be made", i));
            const int one = 1;
            ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
            connections_[i].fd = fd;
            epoll_event event{};
            event.events = EPOLLIN;
            event.data.u64 = i;
            ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
        }
    }

    void run() {
        for (auto& connection : connections_) send_next(connection);
        while (done_ < o_.requests) {
            epoll_event events[256];
            const int n = ::epoll_wait(epoll_, events, 256, 60'000);
            if (n <= 0) give_up("no answer for a minute");
            for (int i = 0; i < n; ++i) on_bytes(connections_[events[i].data.u64]);
        }
    }

    std::vector<std::int64_t> took_ns;
    std::size_t bad = 0;

private:
    struct Connection {
        int fd = -1;
        std::int64_t sent_ns = 0;
        std::string text;  // of the answer so far
    };

    void send_next(Connection& c) {
        if (begun_ == o_.requests) return;
        ++begun_;
        c.sent_ns = monotonic_ns();
        if (::send(c.fd, o_.request.data(), o_.request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(o_.request.size()))
            give_up("a request was not taken whole");
    }

    void on_bytes(Connection& c) {
        char bytes[64 * 1024];
        const auto n = ::recv(c.fd, bytes, sizeof bytes, 0);
        if (n <= 0) give_up("the server closed a connection");
        c.text.append(bytes, static_cast<std::size_t>(n));
        const auto head = c.text.find("\r\n\r\n");
        if (head == std::string::npos) return;
        constexpr std::string_view kLength = "Content-Length: ";
        const auto at = c.text.find(kLength);
        if (at == std::string::npos || at > head) give_up("an answer without Content-Length");
        const auto length = number(std::string_view(c.text).substr(at + kLength.size()));
        if (c.text.size() < head + 4 + length) return;
        took_ns.push_back(monotonic_ns() - c.sent_ns);
        // A row that failed is bad too: its time is not that of the work.
        if (!c.text.starts_with("HTTP/1.1 200 ") || c.text.find("\"status\":-1") != std::string::npos) ++bad;
        c.text.clear();
        ++done_;
        send_next(c);
    }

    const Options& o_;
    const int epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
    std::vector<Connection> connections_;
    std::size_t begun_ = 0, done_ = 0;
};

double percentile_us(std::vector<std::int64_t>& sorted, double share) {
    return static_cast<double>(sorted[static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1))]) / 1e3;
}

}  // namespace
}  // namespace drover::bench

int main(int argc, char** argv) {
    using namespace drover::bench;
    const auto options = parse(argc, argv);
    Load load(options);
    load.connect_all();
    const auto began = monotonic_ns();
    load.run();
    const auto wall_us = static_cast<double>(monotonic_ns() - began) / 1e3;
    auto& took = load.took_ns;
    std::sort(took.begin(), took.end());
    fmt::print(R"({{"requests":{},"bad":{},"wall_us":{:.1f},"p50_us":{:.1f},"p99_us":{:.1f}}})"
               "\n",
               took.size(), load.bad, wall_us, percentile_us(took, 0.5), percentile_us(took, 0.99));
    std::fflush(stdout);
    if (!options.hold) return 0;
    while (std::getchar() != EOF) {}
    return 0;
}
