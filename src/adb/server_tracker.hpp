// Keeps the list of phones an adb server knows, over the server's restarts. Never starts or ends a server.
//
// A long-lived host:track-devices connection is only the bell: each ring, and every kRefreshPeriod, asks host:devices-l for
// the list. The bell alone would not do: the server rings late when a phone's TCP link dies, not at all when one becomes
// unauthorized (both seen with 29.0.6), a frozen server never rings, and the length of a long list cannot be read safely
// from a connection that goes on.
//
// Threads: the loop's. Ownership: the sink outlives the tracker. Failure: on_server_down() once an outage; it tries again
// with back-off for ever.
#pragma once
#include <memory>
#include <optional>
#include <vector>

#include "adb/server_query.hpp"
#include "adb/server_socket.hpp"
#include "adb/smart_socket.hpp"

namespace drover::adb {

class ServerTrackerSink {
public:
    // The whole list: first after each connection, then whenever it differs from the last one. May stop() the tracker,
    // not destroy it.
    virtual void on_server_devices(const std::vector<ServerDevice>& devices) = 0;
    // The list is not known any more. Code::server_unreachable or server_failed.
    virtual void on_server_down(const Error& why) = 0;

protected:
    ~ServerTrackerSink() = default;
};

class ServerTracker final : private ServerSocketSink {
public:
    static constexpr Duration kBackoffFirst = std::chrono::milliseconds(100);
    static constexpr Duration kBackoffMax = std::chrono::seconds(2);
    static constexpr Duration kRefreshPeriod = std::chrono::seconds(2);

    ServerTracker(Loop& loop, ServerEndpoint endpoint, ServerTrackerSink& sink,
                  Duration reply_deadline = kServerReplyDeadline);
    ~ServerTracker();
    ServerTracker(const ServerTracker&) = delete;
    ServerTracker& operator=(const ServerTracker&) = delete;

    void start();
    void stop();     // no callback follows; start() may be called again
    void refresh();  // asks for the list now; nothing happens while the server is down

private:
    void on_socket_connected() override;
    void on_socket_bytes(ByteView bytes) override;
    void on_socket_end(const std::optional<Error>& why) override;
    void connect();
    void on_timer();
    void on_list(const Result<ServerReply>& reply);
    void down(const Error& why);
    void drop();

    Loop& loop_;
    const ServerEndpoint endpoint_;
    ServerTrackerSink& sink_;
    const Duration reply_deadline_;
    std::shared_ptr<ServerSocket> bell_;
    ReplyParser parser_{ReplyParser::Shape::status};
    std::unique_ptr<ServerQuery> query_;
    bool rung_ = false;  // while a query runs
    bool told_down_ = false;
    std::optional<std::vector<ServerDevice>> last_;
    Duration backoff_ = kBackoffFirst;
    Timer timer_ = Timer::calls<&ServerTracker::on_timer>(*this);  // connect, answer or refresh, whichever is next
};

}  // namespace drover::adb
