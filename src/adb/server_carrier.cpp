#include "adb/server_carrier.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "adb/packet.hpp"
#include "adb/server_stream.hpp"
#include "base/assert.hpp"

namespace drover::adb {

ServerCarrier::ServerCarrier(Loop& loop, ServerOptions options, const ServerDevice& device, ServerCarrierSink& sink)
    : loop_(loop), options_(std::move(options)), transport_id_(device.transport_id), sink_(sink) {
    peer_.banner.state = device.state;
    peer_.banner.product = device.product;
    peer_.banner.model = device.model;
    peer_.banner.device = device.device;
}

ServerCarrier::~ServerCarrier() { *self_ = nullptr; }

void ServerCarrier::start() {
    DROVER_ASSERT(state_ == State::fresh);
    state_ = State::asking;
    query_ = std::make_unique<ServerQuery>(loop_, options_.endpoint, "host:host-features", options_.reply_deadline,
                                           [this](const Result<ServerReply>& reply) {
                                               if (!reply) return lose(reply.error());
                                               if (!reply->okay) return lose(error_of_fail(reply->text, false));
                                               server_features_ = Features::parse(reply->text);
                                               ask_phone();
                                           });
}

// The server passes the phone's features on unfiltered, also those it cannot use itself: hence the first question.
void ServerCarrier::ask_phone() {
    query_ = std::make_unique<ServerQuery>(
        loop_, options_.endpoint, fmt::format("host-transport-id:{}:features", transport_id_), options_.reply_deadline,
        [this](const Result<ServerReply>& reply) { on_features(reply); });
}

void ServerCarrier::on_features(const Result<ServerReply>& reply) {
    if (!reply) return lose(reply.error());
    if (!reply->okay) return lose(error_of_fail(reply->text, false));
    peer_.banner.features = Features::parse(reply->text);
    peer_.features = peer_.banner.features.intersect(server_features_);
    peer_.max_payload = peer_.banner.features.shell_v2() ? kServiceBytesMax : kOldPayloadBytes;
    state_ = State::ready;
    query_.reset();
    sink_.on_carrier_ready();
}

void ServerCarrier::shut(const Error& why) {
    state_ = State::lost;
    query_.reset();
    *self_ = nullptr;  // nothing that was posted runs now
    while (!streams_.empty()) {
        const auto stream = take(streams_.begin()->first);
        stream->handler().on_closed(why);
    }
}

void ServerCarrier::lose(const Error& why) {
    if (state_ == State::lost) return;
    state_ = State::lost;
    loop_.post([self = self_, why] {
        ServerCarrier* const carrier = *self;
        if (!carrier) return;
        ServerCarrierSink& sink = carrier->sink_;
        carrier->shut(why);
        sink.on_carrier_lost(why);
    });
}

Result<StreamId> ServerCarrier::open(std::string_view service, StreamHandler& handler) {
    if (state_ != State::ready) return fail(Code::link_lost, "the phone is not reachable through the adb server");
    if (service.empty() || service.size() + 1 > peer_.max_payload) {
        return fail(Code::command_too_long, fmt::format("a service of {} bytes; this phone takes at most {}",
                                                        service.size(), peer_.max_payload - 1));
    }
    if (streams_.size() >= kStreamsMax) {
        return fail(Code::out_of_resources, fmt::format("{} streams to this phone are open already", kStreamsMax));
    }
    const StreamId id = ++last_id_;
    streams_.emplace(id, std::make_unique<ServerStream>(*this, id, service, handler));
    return id;
}

ServerStream* ServerCarrier::find(StreamId id) {
    const auto it = streams_.find(id);
    return it == streams_.end() ? nullptr : it->second.get();
}

std::unique_ptr<ServerStream> ServerCarrier::take(StreamId id) {
    auto node = streams_.extract(id);
    return node.empty() ? nullptr : std::move(node.mapped());
}

std::size_t ServerCarrier::unacked(StreamId id) {
    ServerStream* const stream = find(id);
    return stream ? stream->queued() : 0;
}

void ServerCarrier::write(StreamId id, ByteView bytes) {
    if (ServerStream* const stream = find(id)) stream->write(bytes);
}

void ServerCarrier::acknowledge(StreamId id) {
    if (ServerStream* const stream = find(id)) stream->acknowledge();
}

void ServerCarrier::close(StreamId id) { take(id); }

}  // namespace drover::adb
