#include "adb/server_tracker.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/log.hpp"

namespace drover::adb {

ServerTracker::ServerTracker(Loop& loop, ServerEndpoint endpoint, ServerTrackerSink& sink, Duration reply_deadline)
    : loop_(loop), endpoint_(std::move(endpoint)), sink_(sink), reply_deadline_(reply_deadline) {}

ServerTracker::~ServerTracker() { stop(); }

void ServerTracker::start() {
    stop();
    backoff_ = kBackoffFirst;
    told_down_ = false;
    connect();
}

void ServerTracker::stop() {
    drop();
    timer_.cancel();
}

void ServerTracker::drop() {
    if (bell_) bell_->close();
    bell_.reset();
    query_.reset();
    rung_ = false;
    last_.reset();
}

void ServerTracker::connect() {
    parser_ = ReplyParser(ReplyParser::Shape::status);
    bell_ = ServerSocket::connect(loop_, endpoint_, *this);
    loop_.arm_after(timer_, reply_deadline_);
}

void ServerTracker::on_timer() {
    if (!bell_) return connect();
    if (parser_.done()) return refresh();
    down(Error(Code::server_unreachable, fmt::format("adb server {}: no answer", endpoint_.name)));
}

void ServerTracker::on_socket_connected() {
    static const std::string request = encode_request("host:track-devices").value();
    bell_->write(as_bytes(request));
}

void ServerTracker::on_socket_bytes(ByteView bytes) {
    if (!parser_.done()) {
        if (const auto fed = parser_.feed(bytes); !fed) return down(fed.error());
        if (!parser_.done()) return;
        const auto reply = parser_.take();
        if (!reply.okay) return down(error_of_fail(reply.text, false));
    }
    refresh();
}

void ServerTracker::on_socket_end(const std::optional<Error>& why) {
    down(why.value_or(
        Error(Code::server_unreachable, fmt::format("adb server {}: it closed the connection", endpoint_.name))));
}

void ServerTracker::refresh() {
    if (!bell_ || !parser_.done()) return;
    if (query_) {
        rung_ = true;
        return;
    }
    timer_.cancel();
    query_ = std::make_unique<ServerQuery>(loop_, endpoint_, "host:devices-l", reply_deadline_,
                                           [this](const Result<ServerReply>& reply) { on_list(reply); });
}

void ServerTracker::on_list(const Result<ServerReply>& reply) {
    query_.reset();
    if (!reply) return down(reply.error());
    if (!reply->okay) return down(error_of_fail(reply->text, false));
    auto list = parse_device_list(reply->text);
    for (const auto& row : list.ignored) log::debug("adb server {}: a row that is none: {}", endpoint_.name, row);
    backoff_ = kBackoffFirst;
    told_down_ = false;
    loop_.arm_after(timer_, kRefreshPeriod);
    if (std::exchange(rung_, false)) refresh();
    if (last_ == list.devices) return;
    last_ = std::move(list.devices);
    const auto devices = *last_;  // the sink may stop the tracker, which drops last_
    sink_.on_server_devices(devices);
}

void ServerTracker::down(const Error& why) {
    drop();
    loop_.arm_after(timer_, backoff_);
    backoff_ = std::min(backoff_ * 2, kBackoffMax);
    if (std::exchange(told_down_, true)) return;
    sink_.on_server_down(why);
}

}  // namespace drover::adb
