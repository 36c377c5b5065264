// A minimal client of an adb server: what a careful tool costs that takes the usual way. One thread, epoll; for each command it
// connects to the server, asks for the phone, opens shell,v2 and reads to the end.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "adb/smart_socket.hpp"
#include "client_options.hpp"
#include "fleet/inventory.hpp"
#include "meter.hpp"

namespace drover::bench {
namespace {

[[noreturn]] void give_up(std::string_view what) {
    fmt::print(stderr, "bench_socket: {}\n", what);
    std::exit(1);
}

// One command: OKAY for the phone, OKAY for the service, then shell packets, of which only the last matters.
struct Command {
    int fd = -1;
    std::string transport;  // the request for its phone
    std::size_t okays = 0;
    std::string heard;

    // false: it has ended.
    bool feed(std::string_view bytes, const std::string& shell) {
        heard += bytes;
        while (okays < 2 && heard.size() >= 4) {
            if (!heard.starts_with("OKAY")) return false;
            heard.erase(0, 4);
            if (++okays == 1) send(shell);
        }
        return true;
    }
    void send(const std::string& text) const {
        if (::send(fd, text.data(), text.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(text.size()))
            give_up("a short send");
    }
    // The exit packet: id 3, one byte, the code.
    bool ok() const { return okays == 2 && heard.ends_with(std::string_view("\x03\x01\x00\x00\x00\x00", 6)); }
};

class Client {
public:
    Client(const ClientOptions& options, const std::vector<Instance>& phones, std::uint16_t port)
        : commands_(options.phones) {
        address_.sin_family = AF_INET;
        address_.sin_port = htons(port);
        address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        for (std::size_t i = 0; i < commands_.size(); ++i)
            commands_[i].transport = adb::encode_request("host:transport:" + to_string(phones[i].address)).value();
    }

    void run(std::size_t calls) {
        for (std::size_t i = 0; i < calls; ++i) {
            const auto began = monotonic_ns();
            for (auto& command : commands_) start(command);
            while (open_ > 0) turn();
            call_ns.push_back(monotonic_ns() - began);
        }
    }

    std::uint64_t done = 0, bad = 0;
    std::vector<std::int64_t> call_ns;

private:
    void start(Command& command) {
        command.fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const int on = 1;
        if (command.fd < 0 || ::connect(command.fd, reinterpret_cast<const sockaddr*>(&address_), sizeof address_) != 0)
            give_up("the adb server takes no connection");
        ::setsockopt(command.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        command.okays = 0;
        command.heard.clear();
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.ptr = &command;
        if (epoll_ctl(epoll_, EPOLL_CTL_ADD, command.fd, &event) != 0) give_up("epoll_ctl");
        command.send(command.transport);
        ++open_;
    }

    void end(Command& command) {
        ::close(command.fd);
        --open_;
        ++done;
        if (!command.ok()) ++bad;
    }

    void turn() {
        epoll_event events[512];
        const int n = epoll_wait(epoll_, events, 512, -1);
        for (int i = 0; i < n; ++i) {
            auto& command = *static_cast<Command*>(events[i].data.ptr);
            char buffer[4096];
            const ssize_t got = ::recv(command.fd, buffer, sizeof buffer, MSG_DONTWAIT);
            if (got < 0 && errno == EAGAIN) continue;
            if (got <= 0 || !command.feed({buffer, static_cast<std::size_t>(got)}, shell_)) end(command);
        }
    }

    const int epoll_ = epoll_create1(EPOLL_CLOEXEC);
    const std::string shell_ = adb::encode_request("shell,v2,raw:true").value();
    sockaddr_in address_{};
    std::vector<Command> commands_;
    std::size_t open_ = 0;
};

}  // namespace
}  // namespace drover::bench

int main(int argc, char** argv) {
    using namespace drover::bench;
    const ClientOptions options = parse_client_options(argc, argv);
    Report report;
    report.way = "socket";
    report.phones = options.phones;
    report.anon_start_kib = anon_kib();
    const auto inventory = drover::fleet::load_inventory(options.inventory);
    if (!inventory || inventory->instances.size() < options.phones)
        give_up("the inventory cannot be read, or is too small");
    const auto server = drover::adb::server_address_from_environment();
    if (!server || server->kind != drover::adb::ServerAddress::Kind::tcp) give_up("the adb server is not at a port");

    Client client(options, inventory->instances, server->port);
    report.anon_linked_kib = anon_kib();
    if (options.warm_up_calls > 0) client.run(options.warm_up_calls);
    client.done = client.bad = 0;
    client.call_ns.clear();

    Meter meter(options.peer);
    meter.begin();
    client.run(options.calls);
    report.cost = meter.end();
    report.anon_end_kib = anon_kib();
    report.commands = client.done;
    report.bad = client.bad;
    report.call_ns = std::move(client.call_ns);
    print(std::move(report));
}
