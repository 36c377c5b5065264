#include "adb/server_query.hpp"

#include <fmt/format.h>

#include "base/duration.hpp"

namespace drover::adb {
ServerQuery::ServerQuery(Loop& loop, const ServerEndpoint& endpoint, std::string_view request, Duration deadline,
                         Done done)
    : request_(encode_known_request(request)),
      server_(endpoint.name),
      limit_(deadline),
      done_(std::move(done)),
      socket_(ServerSocket::connect(loop, endpoint, *this)) {
    loop.arm_after(deadline_, limit_);
}

ServerQuery::~ServerQuery() {
    if (socket_) socket_->close();
}

void ServerQuery::on_socket_connected() { socket_->write(as_bytes(request_)); }

void ServerQuery::on_socket_bytes(ByteView bytes) {
    if (const auto fed = parser_.feed(bytes); !fed) return finish(tl::unexpected(fed.error()));
    if (parser_.done()) finish(parser_.take());
}

void ServerQuery::on_socket_end(const std::optional<Error>& why) {
    if (why) return finish(tl::unexpected(*why));
    if (const auto complete = parser_.finish(); !complete) return finish(tl::unexpected(complete.error()));
    finish(parser_.take());
}

void ServerQuery::on_deadline() {
    finish(fail(Code::server_unreachable, fmt::format("adb server {}: no answer within {}", server_,
                                                      drover::to_string(std::chrono::duration_cast<Millis>(limit_)))));
}

void ServerQuery::finish(Result<ServerReply> result) {
    deadline_.cancel();
    socket_->close();
    const Done done = std::move(done_);  // it may destroy this
    done(std::move(result));
}

}  // namespace drover::adb
