#include "adb/server_stream.hpp"

#include <fmt/format.h>

#include "base/assert.hpp"
#include "base/duration.hpp"

namespace drover::adb {
ServerStream::ServerStream(ServerCarrier& carrier, StreamId id, std::string_view service, StreamHandler& handler)
    : carrier_(carrier),
      id_(id),
      handler_(handler),
      service_(encode_known_request(service)),
      socket_(ServerSocket::connect(carrier.loop_, carrier.options_.endpoint, *this)) {
    carrier_.loop_.arm_after(deadline_, carrier_.options_.reply_deadline);
}

ServerStream::~ServerStream() { socket_->close(); }

void ServerStream::write(ByteView bytes) {
    if (phase_ == Phase::raw) {
        DROVER_ASSERT(socket_->queued() + bytes.size() <= ServerCarrier::kWriteBytesMax);
        socket_->write(bytes, true);
    } else if (phase_ != Phase::ended) {
        DROVER_ASSERT(early_.size() + bytes.size() <= ServerCarrier::kWriteBytesMax);
        early_ += as_text(bytes);
    }
}

void ServerStream::on_socket_connected() {
    // The service cannot ride along: the server throws away what comes in the same read as the transport request.
    socket_->write(as_bytes(encode_known_request(fmt::format("host:transport-id:{}", carrier_.transport_id_))));
}

void ServerStream::on_socket_bytes(ByteView bytes) {
    if (phase_ == Phase::raw) return deliver(bytes);
    const auto fed = parser_.feed(bytes);
    if (!fed) return end(fed.error(), true);
    if (!parser_.done()) return;
    ServerCarrier& carrier = carrier_;
    const StreamId id = id_;
    on_reply(parser_.take());
    const ByteView rest = bytes.subspan(*fed);
    if (rest.empty() || carrier.find(id) != this) return;
    if (phase_ != Phase::raw)
        return end(Error(Code::server_failed, "the adb server answered before it was asked"), true);
    deliver(rest);
}

void ServerStream::on_reply(const ServerReply& reply) {
    if (!reply.okay) {
        const Error why = error_of_fail(reply.text, true);
        return end(why, phase_ == Phase::transport || why.code == Code::link_lost);
    }
    if (phase_ == Phase::transport) {
        phase_ = Phase::service;
        parser_ = ReplyParser(ReplyParser::Shape::status);
        carrier_.loop_.arm_after(deadline_, carrier_.options_.open_deadline);
        socket_->write(as_bytes(service_));
        return;
    }
    phase_ = Phase::raw;
    deadline_.cancel();
    if (!early_.empty()) socket_->write(as_bytes(early_), true);
    early_ = {};
    handler_.on_open();
}

void ServerStream::deliver(ByteView bytes) {
    ServerCarrier& carrier = carrier_;
    const StreamId id = id_;
    const std::shared_ptr<ServerSocket> socket = socket_;
    socket->pause();  // so that an acknowledge() from inside on_data() is not lost
    if (handler_.on_data(bytes) == Ack::now && carrier.find(id) == this) socket->resume();
}

void ServerStream::on_socket_drained() { handler_.on_writable(); }

void ServerStream::on_socket_end(const std::optional<Error>& why) {
    if (phase_ == Phase::raw) return ask_why(why.has_value());
    if (why) return end(*why, true);
    if (const auto complete = parser_.finish(); !complete) {
        // A server that loses the phone's link now closes without an answer.
        if (phase_ == Phase::service) return ask_why(true);
        return end(complete.error(), true);
    }
    on_reply(parser_.take());  // a FAIL cut short
}

void ServerStream::ask_why(bool broken_off) {
    phase_ = Phase::ended;
    query_ = std::make_unique<ServerQuery>(
        carrier_.loop_, carrier_.options_.endpoint,
        fmt::format("host-transport-id:{}:get-state", carrier_.transport_id_), carrier_.options_.reply_deadline,
        [this, broken_off](const Result<ServerReply>& reply) { on_state(broken_off, reply); });
}

void ServerStream::on_state(bool broken_off, const Result<ServerReply>& reply) {
    if (!reply) return end(reply.error(), true);
    if (!reply->okay) return end(error_of_fail(reply->text, true), true);
    const AdbState state = parse_adb_state(reply->text);
    if (!takes_commands(state)) {
        return end(Error(Code::link_lost, fmt::format("the phone is {} now", to_string(state))), true);
    }
    if (broken_off) return end(Error(Code::link_lost, "the adb server broke the stream off"), false);
    end(std::nullopt, false);
}

void ServerStream::on_deadline() {
    const auto text = [](Duration d) { return drover::to_string(std::chrono::duration_cast<Millis>(d)); };
    if (phase_ == Phase::transport) {
        const auto& options = carrier_.options_;
        return end(Error(Code::server_unreachable, fmt::format("adb server {}: no answer within {}",
                                                               options.endpoint.name, text(options.reply_deadline))),
                   true);
    }
    end(Error(Code::open_deadline,
              fmt::format("the phone did not open the service within {}", text(carrier_.options_.open_deadline))),
        false);
}

void ServerStream::end(const std::optional<Error>& why, bool carrier_too) {
    ServerCarrier& carrier = carrier_;
    const auto self = carrier.take(id_);  // lives to the end of this function
    socket_->close();
    deadline_.cancel();
    if (carrier_too) carrier.lose(*why);
    handler_.on_closed(why);
}

}  // namespace drover::adb
