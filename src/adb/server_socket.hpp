// One connection to an adb server on a loop: bytes out, bytes in, non-blocking, with back-pressure.
//
// Threads: the loop's. Ownership: made by connect(), held by its user; pending handlers keep it alive until they have run,
// and tell nobody after close(). The sink outlives the socket or close(). Failure: on_socket_end(), once, the last call.
#pragma once
#include <boost/asio/generic/stream_protocol.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "adb/smart_socket.hpp"
#include "base/bytes.hpp"
#include "base/loop_pool.hpp"
#include "drover/error.hpp"

namespace drover::adb {

// An address with its name looked up.
struct ServerEndpoint {
    boost::asio::generic::stream_protocol::endpoint endpoint;
    std::string name;  // for messages
};
// Blocks while a host name is looked up: at the start of a program, never on a loop. Numbers and paths do not block.
Result<ServerEndpoint> resolve(const ServerAddress& address);

class ServerSocketSink {
public:
    virtual void on_socket_connected() = 0;
    // Never empty; valid during the call only. The sink may close() the socket, pause() it, or be destroyed after close().
    virtual void on_socket_bytes(ByteView bytes) = 0;
    virtual void on_socket_drained() {}  // see ServerSocket::write()
    // nullopt: the server ended the connection. Code::server_unreachable: it could not be reached, or broke off.
    virtual void on_socket_end(const std::optional<Error>& why) = 0;

protected:
    ~ServerSocketSink() = default;
};

class ServerSocket final : public std::enable_shared_from_this<ServerSocket> {
public:
    // Read for one wake-up before other sockets of the loop get their turn.
    static constexpr std::size_t kReadBudgetBytes = 4 * Loop::kReadBufferBytes;

    // No callback comes before it returns.
    static std::shared_ptr<ServerSocket> connect(Loop& loop, const ServerEndpoint& endpoint, ServerSocketSink& sink);

    // What the kernel does not take at once is queued; the user bounds queued(). on_socket_drained() follows each write
    // with `notify`, once nothing is queued, after write() has returned.
    void write(ByteView bytes, bool notify = false);
    std::size_t queued() const { return out_.size() - sent_; }
    void pause() { paused_ = true; }
    void resume();
    void close();  // at once; no callback follows

private:
    using Socket = boost::asio::generic::stream_protocol::socket;

    ServerSocket(Loop& loop, const ServerEndpoint& endpoint, ServerSocketSink& sink);
    void start();
    void wait_read();
    void read();
    void flush();
    void tell_drained();
    void end(const std::optional<Error>& why);
    Error error(std::string_view what, const boost::system::error_code& ec) const;

    Loop& loop_;
    const ServerEndpoint endpoint_;
    ServerSocketSink* sink_;  // none: closed
    Socket socket_;
    std::string out_;
    std::size_t sent_ = 0;  // of out_
    bool connected_ = false;
    bool paused_ = false;
    bool reading_ = false;  // a wait for reading is pending, or read() runs
    bool writing_ = false;  // a wait for writing is pending
    bool notify_ = false;
};

}  // namespace drover::adb
