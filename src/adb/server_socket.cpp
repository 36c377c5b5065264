#include "adb/server_socket.hpp"

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>

namespace drover::adb {

namespace asio = boost::asio;
using boost::system::error_code;

Result<ServerEndpoint> resolve(const ServerAddress& address) {
    const std::string name = to_string(address);
    if (address.kind != ServerAddress::Kind::tcp) {
        const bool abstract = address.kind == ServerAddress::Kind::local_abstract;
        const std::string path = abstract ? std::string(1, '\0') + address.host : address.host;
        return ServerEndpoint{asio::local::stream_protocol::endpoint(path), name};
    }
    error_code ec;
    const auto number = asio::ip::make_address(address.host, ec);
    if (!ec) return ServerEndpoint{asio::ip::tcp::endpoint(number, address.port), name};
    asio::io_context io;
    asio::ip::tcp::resolver resolver(io);
    const auto found = resolver.resolve(address.host, std::to_string(address.port), ec);
    if (ec || found.empty()) {
        return fail(Code::server_unreachable,
                    fmt::format("adb server {}: {}", name, ec ? ec.message() : "no such host"));
    }
    return ServerEndpoint{found.begin()->endpoint(), name};
}

ServerSocket::ServerSocket(Loop& loop, const ServerEndpoint& endpoint, ServerSocketSink& sink)
    : loop_(loop), endpoint_(endpoint), sink_(&sink), socket_(loop.io()) {}

std::shared_ptr<ServerSocket> ServerSocket::connect(Loop& loop, const ServerEndpoint& endpoint,
                                                    ServerSocketSink& sink) {
    std::shared_ptr<ServerSocket> socket(new ServerSocket(loop, endpoint, sink));
    socket->start();
    return socket;
}

void ServerSocket::start() {
    socket_.async_connect(endpoint_.endpoint, [self = shared_from_this()](const error_code& ec) {
        if (!self->sink_) return;
        if (ec) return self->end(self->error("cannot connect", ec));
        error_code ignored;
        self->socket_.non_blocking(true, ignored);
        if (self->endpoint_.endpoint.protocol().family() != AF_UNIX) {
            self->socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
        }
        self->connected_ = true;
        self->sink_->on_socket_connected();
        if (self->sink_) self->flush();
        self->wait_read();
    });
}

void ServerSocket::wait_read() {
    if (!sink_ || !connected_ || paused_ || reading_) return;
    reading_ = true;
    socket_.async_wait(Socket::wait_read, [self = shared_from_this()](const error_code& ec) {
        self->reading_ = false;
        if (!self->sink_) return;
        if (ec) return self->end(self->error("lost", ec));
        self->read();
    });
}

// Reads into the loop's shared buffer, which is why it must happen here and not in an asynchronous read.
void ServerSocket::read() {
    const auto self = shared_from_this();
    reading_ = true;
    std::size_t budget = kReadBudgetBytes;
    while (sink_ && !paused_ && budget > 0) {
        auto& buffer = loop_.read_buffer();
        error_code ec;
        const std::size_t n = socket_.read_some(asio::buffer(buffer), ec);
        if (ec == asio::error::would_block) break;
        if (ec == asio::error::eof) return end(std::nullopt);
        if (ec) return end(error("lost", ec));
        budget -= std::min(budget, n);
        sink_->on_socket_bytes(ByteView(buffer.data(), n));
    }
    reading_ = false;
    wait_read();
}

void ServerSocket::resume() {
    paused_ = false;
    wait_read();
}

void ServerSocket::write(ByteView bytes, bool notify) {
    if (sent_ > kReadBudgetBytes) {
        out_.erase(0, sent_);
        sent_ = 0;
    }
    out_ += as_text(bytes);
    const bool posted = notify_;
    notify_ = notify_ || notify;
    if (!connected_ || writing_) return;
    flush();
    if (notify_ && !posted && !writing_) {
        loop_.post([self = shared_from_this()] { self->tell_drained(); });
    }
}

void ServerSocket::tell_drained() {
    if (!sink_ || queued() > 0 || !notify_) return;
    notify_ = false;
    sink_->on_socket_drained();
}

void ServerSocket::flush() {
    while (queued() > 0) {
        error_code ec;
        sent_ += socket_.write_some(asio::buffer(out_.data() + sent_, queued()), ec);
        if (ec == asio::error::would_block) {
            writing_ = true;
            socket_.async_wait(Socket::wait_write, [self = shared_from_this()](const error_code& failed) {
                self->writing_ = false;
                if (!self->sink_ || failed) return;
                self->flush();
                self->tell_drained();
            });
            return;
        }
        // A broken connection shows when reading, behind what the server said before.
        if (ec) sent_ = out_.size();
    }
    out_.clear();
    sent_ = 0;
}

void ServerSocket::close() {
    sink_ = nullptr;
    error_code ignored;
    socket_.close(ignored);
}

void ServerSocket::end(const std::optional<Error>& why) {
    ServerSocketSink* const sink = sink_;
    close();
    if (sink) sink->on_socket_end(why);
}

Error ServerSocket::error(std::string_view what, const error_code& ec) const {
    return {Code::server_unreachable, fmt::format("adb server {}: {}: {}", endpoint_.name, what, ec.message())};
}

}  // namespace drover::adb
