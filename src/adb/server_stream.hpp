// One stream of a ServerCarrier: private to it.
// Threads: the loop's. Ownership: the carrier's map. Failure: the handler's on_closed(), after the stream left the map.
#pragma once
#include "adb/server_carrier.hpp"

namespace drover::adb {

class ServerStream final : private ServerSocketSink {
public:
    ServerStream(ServerCarrier& carrier, StreamId id, std::string_view service, StreamHandler& handler);
    ~ServerStream();

    void write(ByteView bytes);
    std::size_t queued() const { return early_.size() + socket_->queued(); }
    void acknowledge() { socket_->resume(); }
    StreamHandler& handler() { return handler_; }

private:
    enum class Phase : std::uint8_t { transport, service, raw, ended };

    void on_socket_connected() override;
    void on_socket_bytes(ByteView bytes) override;
    void on_socket_drained() override;
    void on_socket_end(const std::optional<Error>& why) override;
    void on_deadline();

    void on_reply(const ServerReply& reply);
    void deliver(ByteView bytes);
    // The output has ended. Whether the phone closed the stream or its link was lost, only the server knows.
    void ask_why(bool broken_off);
    void on_state(bool broken_off, const Result<ServerReply>& reply);
    void end(const std::optional<Error>& why, bool carrier_too);

    ServerCarrier& carrier_;
    const StreamId id_;
    StreamHandler& handler_;
    std::string service_;
    std::string early_;  // written before the service was open
    Phase phase_ = Phase::transport;
    ReplyParser parser_{ReplyParser::Shape::status};
    Timer deadline_ = Timer::calls<&ServerStream::on_deadline>(*this);
    std::unique_ptr<ServerQuery> query_;
    std::shared_ptr<ServerSocket> socket_;
};

}  // namespace drover::adb
