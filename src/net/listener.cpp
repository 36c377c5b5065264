#include "net/listener.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <cerrno>
#include <cstring>

#include "base/log.hpp"

namespace drover::net {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using local = asio::local::stream_protocol;
using ErrorCode = boost::system::error_code;

tl::unexpected<Error> cannot(const ListenAddress& address, std::string_view why) {
    return fail(Code::bad_config, fmt::format("cannot listen on {}: {}", to_string(address), why));
}

template <class Protocol>
class SocketListener : public Listener {
public:
    SocketListener(Loop& loop, OnAccept on_accept)
        : acceptor_(loop.io()), loop_(loop), on_accept_(std::move(on_accept)) {}

    void begin() override {
        acceptor_.async_accept([this](const ErrorCode& error, typename Protocol::socket socket) {
            if (error == asio::error::operation_aborted) return;
            if (!error) {
                on_accept_(describe(std::move(socket)));
                return begin();
            }
            if (error == asio::error::connection_aborted) return begin();
            log::warn("http: accept: {}", error.message());
            loop_.arm_after(pause_, kRetryPause);
        });
    }

protected:
    virtual Accepted describe(typename Protocol::socket socket) = 0;
    typename Protocol::acceptor acceptor_;

private:
    Loop& loop_;
    OnAccept on_accept_;
    Timer pause_ = Timer::calls<&SocketListener::begin>(*this);
};

class TcpListener final : public SocketListener<tcp> {
public:
    using SocketListener::SocketListener;

    Result<void> open(const ListenAddress& address, const tcp::endpoint& endpoint) {
        ErrorCode error;
        acceptor_.open(endpoint.protocol(), error);
        if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
        if (!error) acceptor_.bind(endpoint, error);
        if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
        if (error) return cannot(address, error.message());
        address_ = address;
        address_.port = acceptor_.local_endpoint().port();
        return {};
    }
    ListenAddress address() const override { return address_; }

private:
    Accepted describe(tcp::socket socket) override {
        ErrorCode ignored;
        socket.set_option(tcp::no_delay(true), ignored);
        const auto peer = socket.remote_endpoint(ignored).address().to_string();
        return {StreamSocket(std::move(socket)), peer, false, nullptr};
    }
    ListenAddress address_;
};

class UnixListener final : public SocketListener<local> {
public:
    using SocketListener::SocketListener;
    ~UnixListener() override {
        // Only the file this listener made: a successor may have put its own there.
        struct stat now {};
        if (made_ && ::stat(address_.path.c_str(), &now) == 0 && now.st_ino == inode_) ::unlink(address_.path.c_str());
    }

    Result<void> open(const ListenAddress& address, unsigned mode) {
        address_ = address;
        ErrorCode error;
        local::socket probe(acceptor_.get_executor());
        probe.connect(local::endpoint(address.path), error);
        if (!error) return cannot(address, "another process listens there");
        if (error == asio::error::connection_refused) ::unlink(address.path.c_str());
        acceptor_.open(local(), error);
        // Nobody may connect before the mode is set.
        const auto before = ::umask(0177);
        if (!error) acceptor_.bind(local::endpoint(address.path), error);
        ::umask(before);
        if (error) return cannot(address, error.message());
        struct stat now {};
        if (::chmod(address.path.c_str(), mode) != 0 || ::stat(address.path.c_str(), &now) != 0)
            return cannot(address, std::strerror(errno));
        inode_ = now.st_ino;
        made_ = true;
        acceptor_.listen(asio::socket_base::max_listen_connections, error);
        if (error) return cannot(address, error.message());
        return {};
    }
    ListenAddress address() const override { return address_; }

private:
    Accepted describe(local::socket socket) override {
        // Whoever may open the socket is let in; who it was, the kernel knows.
        ucred who{};
        socklen_t size = sizeof who;
        const bool known = ::getsockopt(socket.native_handle(), SOL_SOCKET, SO_PEERCRED, &who, &size) == 0;
        auto peer = known ? fmt::format("unix uid {} pid {}", who.uid, who.pid) : std::string("unix");
        return {StreamSocket(std::move(socket)), std::move(peer), true, nullptr};
    }
    ListenAddress address_;
    ino_t inode_ = 0;
    bool made_ = false;
};

// At start-up only: a name may need the resolver, which blocks.
Result<tcp::endpoint> resolve(Loop& loop, const ListenAddress& address) {
    ErrorCode error;
    const auto ip = asio::ip::make_address(address.host, error);
    if (!error) return tcp::endpoint(ip, address.port);
    tcp::resolver resolver(loop.io());
    const auto found = resolver.resolve(address.host, std::to_string(address.port), error);
    if (error || found.empty()) return cannot(address, error ? error.message() : "the name has no address");
    return found.begin()->endpoint();
}

}  // namespace

Result<std::unique_ptr<Listener>> Listener::open(Loop& loop, const ListenAddress& address, unsigned unix_mode,
                                                 OnAccept on_accept) {
    if (address.is_unix()) {
        auto listener = std::make_unique<UnixListener>(loop, std::move(on_accept));
        if (auto opened = listener->open(address, unix_mode); !opened) return tl::unexpected(opened.error());
        return listener;
    }
    const auto endpoint = resolve(loop, address);
    if (!endpoint) return tl::unexpected(endpoint.error());
    auto listener = std::make_unique<TcpListener>(loop, std::move(on_accept));
    if (auto opened = listener->open(address, *endpoint); !opened) return tl::unexpected(opened.error());
    return listener;
}

}  // namespace drover::net
