#include "net/http_server.hpp"

#include <fmt/format.h>
#include <netinet/tcp.h>

#include <condition_variable>
#include <mutex>

#include "base/log.hpp"
#include "net/listener.hpp"

namespace drover::net {

struct HttpServer::Impl {
    explicit Impl(ServerOptions o) : options(std::move(o)) {}
    ~Impl();

    Result<void> start();
    Result<void> open_listeners();
    void take(Accepted accepted);
    bool stop(Millis drain);
    void begin_stop();

    // Loops that still have connections, once the server is told to stop.
    struct Ending {
        std::mutex mutex;
        std::condition_variable changed;
        std::size_t left = 0;
    };

    ServerOptions options;
    std::mutex mutex;
    TlsContext tls;
    std::vector<std::unique_ptr<Sessions>> sessions;  // one per loop
    std::size_t next = 0;
    std::unique_ptr<LoopPool> pool;  // after `sessions`: what its loops still hold uses them
    std::vector<std::unique_ptr<Listener>> listeners;
    std::shared_ptr<Ending> ending;
};

HttpServer::Impl::~Impl() {
    if (!pool) return;
    pool->run_on(0, [&] { listeners.clear(); });
    for (std::size_t i = 0; i < pool->size(); ++i) {
        pool->run_on(i, [&] {
            sessions[i]->on_empty = nullptr;
            for (auto* session : std::vector<Session*>(sessions[i]->open.begin(), sessions[i]->open.end()))
                session->abandon();
        });
    }
    pool->stop();
}

Result<void> HttpServer::Impl::start() {
    if (options.tls) {
        auto made = make_server_tls(*options.tls);
        if (!made) return tl::unexpected(made.error());
        tls = std::move(*made);
    }
    for (const auto& address : options.listen) {
        if (!is_loopback(address) && !tls && !options.insecure) {
            return fail(Code::bad_config,
                        fmt::format("{} is reachable from other hosts: configure TLS, listen on 127.0.0.1, "
                                    "or say `insecure: true`",
                                    to_string(address)));
        }
    }
    pool = std::make_unique<LoopPool>(options.loops);
    const auto session = std::make_shared<const SessionOptions>(options.session);
    for (std::size_t i = 0; i < pool->size(); ++i) sessions.push_back(std::make_unique<Sessions>(pool->at(i), session));
    Result<void> opened;
    pool->run_on(0, [&] { opened = open_listeners(); });
    return opened;
}

Result<void> HttpServer::Impl::open_listeners() {
    for (const auto& address : options.listen) {
        auto made = Listener::open(pool->at(0), address, options.unix_mode,
                                   [this](Accepted accepted) { take(std::move(accepted)); });
        if (!made) return tl::unexpected(made.error());
        listeners.push_back(std::move(*made));
    }
    for (auto& listener : listeners) listener->begin();
    return {};
}

// On loop 0. Connections go round the loops.
void HttpServer::Impl::take(Accepted accepted) {
    if (!accepted.local) {
        const std::lock_guard lock(mutex);
        accepted.tls = tls;
    }
    auto& own = *sessions[next++ % sessions.size()];
    std::size_t total = 0;
    for (const auto& s : sessions) total += s->open_count.load(std::memory_order_relaxed);
    if (total >= options.connections_max) {
        log::warn("http: {} connections are open; one more is refused", total);
        return;
    }
    // A descriptor moves between loops; the socket object cannot.
    const auto protocol = accepted.socket.local_endpoint().protocol();
    boost::system::error_code error;
    const int fd = accepted.socket.release(error);
    if (error) return;
    if (!accepted.local) {
        // A host that vanished without a word is found when it does not acknowledge a heartbeat. Best effort.
        const auto unacked = static_cast<unsigned>(options.session.unacked.count());
        (void)::setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unacked, sizeof unacked);
    }
    own.loop.post([&own, fd, protocol, peer = std::move(accepted.peer), local = accepted.local,
                   tls_now = std::move(accepted.tls)]() mutable {
        Accepted moved{StreamSocket(own.loop.io()), std::move(peer), local, std::move(tls_now)};
        boost::system::error_code failed;
        moved.socket.assign(protocol, fd, failed);
        if (!failed && !own.stopping) start_session(own, std::move(moved));
    });
}

bool HttpServer::Impl::stop(Millis drain) {
    if (!ending) begin_stop();
    std::unique_lock lock(ending->mutex);
    return ending->changed.wait_for(lock, drain, [&] { return ending->left == 0; });
}

void HttpServer::Impl::begin_stop() {
    const auto waiting = ending = std::make_shared<Ending>();
    waiting->left = sessions.size();
    pool->run_on(0, [&] { listeners.clear(); });
    for (auto& own : sessions) {
        own->loop.post([s = own.get(), waiting] {
            s->stopping = true;
            s->on_empty = [waiting, told = false]() mutable {
                if (std::exchange(told, true)) return;
                const std::lock_guard lock(waiting->mutex);
                --waiting->left;
                waiting->changed.notify_all();
            };
            for (auto* session : std::vector<Session*>(s->open.begin(), s->open.end())) session->finish();
            if (s->open.empty()) s->on_empty();
        });
    }
}

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpServer::~HttpServer() = default;

Result<std::unique_ptr<HttpServer>> HttpServer::start(ServerOptions options) {
    auto impl = std::make_unique<Impl>(std::move(options));
    if (auto started = impl->start(); !started) return tl::unexpected(started.error());
    return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

std::vector<ListenAddress> HttpServer::addresses() const {
    std::vector<ListenAddress> all;
    for (const auto& listener : impl_->listeners) all.push_back(listener->address());
    return all;
}

bool HttpServer::stop(Millis drain) { return impl_->stop(drain); }

Result<void> HttpServer::reload_tls() {
    if (!impl_->options.tls) return {};
    auto made = make_server_tls(*impl_->options.tls);
    if (!made) return tl::unexpected(made.error());
    const std::lock_guard lock(impl_->mutex);
    impl_->tls = std::move(*made);
    return {};
}

std::size_t HttpServer::connections() const {
    std::size_t total = 0;
    for (const auto& s : impl_->sessions) total += s->open_count.load(std::memory_order_relaxed);
    return total;
}

}  // namespace drover::net
