// The floor: a bare epoll loop that sends the packets a command needs, one write for all that one read caused, and does
// nothing else. What drover costs beyond this is drover's own.
#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "client_options.hpp"
#include "fleet/inventory.hpp"
#include "floor_dial.hpp"
#include "floor_link.hpp"
#include "meter.hpp"

namespace drover::bench {
namespace {

[[noreturn]] void give_up(std::string_view what) {
    fmt::print(stderr, "bench_floor: {}\n", what);
    std::exit(1);
}

class Floor {
public:
    explicit Floor(const ClientOptions& options)
        : options_(options),
          policy_{options.delayed_ack, options.exit_ends},
          buffer_(64 * 1024),
          links_(options.phones) {}

    void connect(const std::vector<Instance>& phones) {
        for (std::size_t i = 0; i < links_.size(); ++i) {
            const auto* address = std::get_if<TcpAddress>(&phones[i].address);
            if (!address) give_up("the floor knows only host:port");
            links_[i].fd = dial(*address, policy_.delayed_ack);
            epoll_event event{};
            event.events = EPOLLIN | EPOLLRDHUP | EPOLLET;
            event.data.ptr = &links_[i];
            if (epoll_ctl(epoll_, EPOLL_CTL_ADD, links_[i].fd, &event) != 0) give_up("epoll_ctl");
        }
    }

    // `calls` commands on each phone.
    void run(std::size_t calls) {
        calls_left_ = calls;
        to_open_ = options_.pattern == Pattern::back_to_back ? calls * links_.size() : 0;
        open_ = 0;
        start_call();
        while (open_ > 0) turn();
    }

    std::uint64_t done = 0, bad = 0;
    std::vector<std::int64_t> call_ns;

private:
    void start_call() {
        --calls_left_;
        call_began_ns_ = monotonic_ns();
        exits_missing_ = links_.size();
        open_ += links_.size();
        if (to_open_ > 0) to_open_ -= links_.size();
        for (auto& link : links_) {
            link.put_open(policy_);
            flush(link);
        }
    }

    void flush(FloorLink& link) {
        const ByteView out = link.output();
        // The floor does not queue: some hundred bytes always fit.
        if (::send(link.fd, out.data(), out.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(out.size()))
            give_up("a short send");
        link.output_sent();
    }

    void on_exit(const FloorLink& link) {
        ++done;
        if (link.failed()) ++bad;
        if (--exits_missing_ == 0) call_ns.push_back(monotonic_ns() - call_began_ns_);
    }

    // Returns whether a whole new call is to be started.
    bool on_closed(FloorLink& link) {
        --open_;
        if (to_open_ > 0) {
            --to_open_;
            ++open_;
            link.put_open(policy_);
        }
        return options_.pattern == Pattern::calls && open_ == 0 && calls_left_ > 0;
    }

    void read(FloorLink& link, bool gone) {
        for (;;) {
            const ssize_t n = ::recv(link.fd, buffer_.data(), buffer_.size(), 0);
            if (n < 0 && errno == EAGAIN) return;
            if (n <= 0) give_up("a phone closed its link");
            const auto event = link.feed({buffer_.data(), static_cast<std::size_t>(n)}, policy_);
            if (event == FloorLink::Event::exited || event == FloorLink::Event::exited_and_closed) on_exit(link);
            bool next_call = false;
            if (event == FloorLink::Event::closed || event == FloorLink::Event::exited_and_closed)
                next_call = on_closed(link);
            if (!link.output().empty()) flush(link);
            if (next_call) start_call();
            // A short read has emptied the socket, unless an end of the stream came with it.
            if (static_cast<std::size_t>(n) < buffer_.size() && !gone) return;
        }
    }

    void turn() {
        epoll_event events[512];
        const int n = epoll_wait(epoll_, events, 512, -1);
        for (int i = 0; i < n; ++i) {
            read(*static_cast<FloorLink*>(events[i].data.ptr),
                 (events[i].events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0);
        }
    }

    const ClientOptions& options_;
    const FloorPolicy policy_;
    const int epoll_ = epoll_create1(EPOLL_CLOEXEC);
    std::vector<std::uint8_t> buffer_;
    std::vector<FloorLink> links_;
    std::size_t calls_left_ = 0;
    std::size_t to_open_ = 0;  // back to back: commands not yet begun
    std::size_t open_ = 0;     // streams
    std::size_t exits_missing_ = 0;
    std::int64_t call_began_ns_ = 0;
};

}  // namespace
}  // namespace drover::bench

int main(int argc, char** argv) {
    using namespace drover::bench;
    const ClientOptions options = parse_client_options(argc, argv);
    Report report;
    report.way = "floor";
    report.phones = options.phones;
    report.anon_start_kib = anon_kib();
    const auto inventory = drover::fleet::load_inventory(options.inventory);
    if (!inventory || inventory->instances.size() < options.phones)
        give_up("the inventory cannot be read, or is too small");

    Floor floor(options);
    floor.connect(inventory->instances);
    report.anon_linked_kib = anon_kib();
    if (options.warm_up_calls > 0) floor.run(options.warm_up_calls);
    floor.done = floor.bad = 0;
    floor.call_ns.clear();

    Meter meter(options.peer);
    meter.begin();
    floor.run(options.calls);
    report.cost = meter.end();
    report.anon_end_kib = anon_kib();
    report.commands = floor.done;
    report.bad = floor.bad;
    if (options.pattern == Pattern::calls) report.call_ns = std::move(floor.call_ns);
    print(std::move(report));
}
