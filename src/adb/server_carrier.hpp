// A phone reached through an adb server: each stream is one smart-socket connection (transport by id, then the service).
// The server keeps the link to the phone; drover never starts, stops or restarts it.
//
// Threads: the loop's. Ownership: the connector owns the carrier; sink and handlers outlive it. Failure: on_carrier_lost(),
// once, the last call, from a clean stack: it may destroy the carrier. Every stream was told before. Destroying a
// carrier tells nobody: shut() does.
#pragma once
#include <memory>
#include <unordered_map>

#include "adb/server_query.hpp"
#include "adb/server_socket.hpp"
#include "adb/smart_socket.hpp"
#include "adb/stream.hpp"

namespace drover::adb {

// For the phone's answer to a service. Callers have tighter deadlines of their own; this one only ends what was forgotten.
constexpr Duration kServerOpenDeadline = std::chrono::seconds(60);

struct ServerOptions {
    ServerEndpoint endpoint;
    Duration reply_deadline = kServerReplyDeadline;
    Duration open_deadline = kServerOpenDeadline;
};

class ServerCarrierSink {
public:
    virtual void on_carrier_ready() = 0;  // peer() is known, open() may be called
    // The phone cannot be reached (any more): phone_not_found, not_ready, unauthorized, no_permission, link_lost; or the
    // server: server_unreachable, server_failed.
    virtual void on_carrier_lost(const Error& why) = 0;

protected:
    ~ServerCarrierSink() = default;
};

class ServerStream;

class ServerCarrier final : public Carrier {
public:
    static constexpr std::size_t kStreamsMax = 256;             // open at once
    static constexpr std::size_t kWriteBytesMax = 1024 * 1024;  // waiting per stream
    // A service longer than the phone's payload limit aborts old adb servers, and the server does not tell the limit: a phone
    // without shell_v2 is taken for one of the 4,096-byte era, any other takes all that fits into a request.
    static constexpr std::uint32_t kServiceBytesMax = kRequestBytesMax;

    // `device`: the phone's row in the server's list.
    ServerCarrier(Loop& loop, ServerOptions options, const ServerDevice& device, ServerCarrierSink& sink);
    ~ServerCarrier() override;

    // Asks for the features of server and phone: leads to on_carrier_ready() or on_carrier_lost(). Once.
    void start();
    // The owner wants out: every stream gets on_closed(why). No callback to the sink follows.
    void shut(const Error& why);

    const Peer& peer() const override { return peer_; }
    Result<StreamId> open(std::string_view service, StreamHandler& handler) override;
    void write(StreamId id, ByteView bytes) override;
    std::size_t write_limit() const override { return kWriteBytesMax; }
    std::size_t unacked(StreamId id) override;
    void acknowledge(StreamId id) override;
    void close(StreamId id) override;

private:
    friend class ServerStream;
    enum class State : std::uint8_t { fresh, asking, ready, lost };

    void ask_phone();
    void on_features(const Result<ServerReply>& reply);
    ServerStream* find(StreamId id);
    std::unique_ptr<ServerStream> take(StreamId id);
    void lose(const Error& why);  // tells the sink from a clean stack

    Loop& loop_;
    const ServerOptions options_;
    const std::uint64_t transport_id_;
    ServerCarrierSink& sink_;
    State state_ = State::fresh;
    Peer peer_;
    Features server_features_;
    std::unique_ptr<ServerQuery> query_;
    std::unordered_map<StreamId, std::unique_ptr<ServerStream>> streams_;
    StreamId last_id_ = 0;
    std::shared_ptr<ServerCarrier*> self_ =
        std::make_shared<ServerCarrier*>(this);  // what posted functions look through
};

}  // namespace drover::adb
