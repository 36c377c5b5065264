// One question to an adb server that is answered by one body: connect, ask, read to the answer's end, disconnect.
//
// Threads: the loop's. Ownership: whoever asks keeps the query; destroying it cancels, without a callback. Failure: `done`
// gets Code::server_unreachable, also when the deadline passes, or server_failed for an answer that is none. A FAIL is an
// answer. `done` is the last call, comes exactly once, never from the constructor, and may destroy the query.
#pragma once
#include <functional>
#include <memory>
#include <string_view>

#include "adb/server_socket.hpp"
#include "adb/smart_socket.hpp"

namespace drover::adb {

// For the connection and each answer the server gives by itself; it answers in well under a millisecond unless it is frozen.
constexpr Duration kServerReplyDeadline = std::chrono::seconds(5);

class ServerQuery final : private ServerSocketSink {
public:
    using Done = std::function<void(Result<ServerReply>)>;
    // `request`: at most kRequestBytesMax bytes, not empty.
    ServerQuery(Loop& loop, const ServerEndpoint& endpoint, std::string_view request, Duration deadline, Done done);
    ~ServerQuery();
    ServerQuery(const ServerQuery&) = delete;
    ServerQuery& operator=(const ServerQuery&) = delete;

private:
    void on_socket_connected() override;
    void on_socket_bytes(ByteView bytes) override;
    void on_socket_end(const std::optional<Error>& why) override;
    void on_deadline();
    void finish(Result<ServerReply> result);

    const std::string request_;
    const std::string server_;
    const Duration limit_;
    Done done_;
    ReplyParser parser_{ReplyParser::Shape::body};
    Timer deadline_ = Timer::calls<&ServerQuery::on_deadline>(*this);
    std::shared_ptr<ServerSocket> socket_;
};

}  // namespace drover::adb
