#include "fleet/direct_connector.hpp"

#include <fmt/format.h>

#include <utility>

#include "base/assert.hpp"

namespace drover::fleet {

DirectConnector::DirectConnector(Loop& loop, std::string instance_id, LinkConnectorOptions options)
    : loop_(loop), instance_id_(std::move(instance_id)), options_(std::move(options)) {}

void DirectConnector::start(ConnectorSink& sink) {
    DROVER_ASSERT(!sink_ && !link_);
    sink_ = &sink;
    loop_.arm_after(deadline_, options_.connect);
    sink.on_phase(Phase::connect, PhoneEvent::no_connection, "");
    dial();
}

void DirectConnector::stop() {
    sink_ = nullptr;
    // Answers that wait for what follows them: a phone on USB does not see that the link is closed, and would keep their streams.
    if (link_ && !link_->output().empty()) transport_->write(link_->output());
    link_down(Error(Code::link_lost, "the link was closed"), false);
}

// Nothing may come in any more while the streams are told; the phone hears of it before they do, so that what they start
// next waits for the next link.
void DirectConnector::failed(const Error& why, PhoneEvent event, bool hopeless) {
    deadline_.cancel();
    drop_dial();
    transport_.reset();
    const auto link = std::move(link_);
    unauthorized_ = false;
    if (ConnectorSink* sink = std::exchange(sink_, nullptr)) sink->on_down(why, event, hopeless);
    if (link) link->shut(why);
}

void DirectConnector::link_down(const Error& why, bool hopeless) {
    failed(why, link_ ? PhoneEvent::link_lost : PhoneEvent::no_connection, hopeless);
}

void DirectConnector::connected(const MakeTransport& make) {
    adb::LinkOptions link_options = options_.link;
    if (options_.key_memory) link_options.accepted_key = options_.key_memory->accepted_key(instance_id_);
    adb::TransportSink& bytes = *this;
    adb::LinkObserver& observer = *this;
    transport_ = make(bytes);
    link_ = std::make_shared<adb::Link>(std::move(link_options), observer);
    loop_.arm_after(deadline_, options_.handshake);
    sink_->on_phase(Phase::handshake, PhoneEvent::transport_open, "connected");
    transport_->start();
    link_->start();
}

void DirectConnector::on_bytes(ByteView bytes) {
    const auto posts = loop_.posts();
    const auto result = link_->feed(bytes);
    if (!result) {
        const bool online = link_->state() == adb::LinkState::online;
        // What breaks the protocol while it introduces itself will do so again; a live link may just have been torn.
        return link_down(result.error(), !online);
    }
    if (!link_->output().empty()) write_answers(loop_.posts() != posts);
    if (transport_->queued() > kBacklogBytesMax) {
        return link_down(
            Error(Code::flood, fmt::format("it sends, and has not read {} bytes of answers", transport_->queued())),
            false);
    }
    if (unauthorized_) {
        unauthorized_ = false;
        const char* hint = options_.link.keys->keys().empty()
                               ? "this host has no ADB key: make one with `drover keygen`, then accept it on the phone"
                               : "the phone does not trust this host's key: accept it on the phone's screen";
        if (sink_) sink_->on_phase(Phase::auth, PhoneEvent::unauthorized, hint);
        if (sink_) sink_->on_unauthorized(Error(Code::unauthorized, hint));
    }
}

// Whoever got the end of a command often begins the next one, by a message to this loop: its OPEN goes in one write with the
// answers to what ended, or they go behind it. A write is most of what a command costs.
void DirectConnector::write_answers(bool more_to_come) {
    if (!more_to_come) return transport_->write(link_->output());
    loop_.post([this, alive = std::weak_ptr<adb::Link>(link_)] {
        const auto link = alive.lock();
        if (link && !link->output().empty()) transport_->write(link->output());
    });
}

void DirectConnector::expect_bytes() {
    if (link_) link_->expect_use();
}

void DirectConnector::on_lost(const Error& why) { link_down(why, false); }

void DirectConnector::on_link_state(adb::LinkState state) {
    if (!sink_) return;
    switch (state) {
        case adb::LinkState::authorizing: return sink_->on_phase(Phase::auth, PhoneEvent::authorizing, "checking keys");
        case adb::LinkState::unauthorized:
            deadline_.cancel();    // a person may still come and accept
            unauthorized_ = true;  // told once the public key is on its way
            return;
        case adb::LinkState::online: deadline_.cancel(); return sink_->on_online(*link_);
        case adb::LinkState::handshaking:
        case adb::LinkState::closed: return;
    }
}

void DirectConnector::on_key_accepted(const std::string& fingerprint) {
    if (options_.key_memory) options_.key_memory->remember(instance_id_, fingerprint);
}

void DirectConnector::on_output() {
    if (transport_) transport_->write(link_->output());
}

void DirectConnector::on_deadline() {
    if (link_ && link_->state() == adb::LinkState::authorizing) {
        return link_down(Error(Code::auth_deadline,
                               fmt::format("no answer to a signed token within {} ms", options_.handshake.count())),
                         false);
    }
    const char* what = link_ ? "connected, but no CNXN" : "no connection";
    const auto limit = link_ ? options_.handshake : options_.connect;
    link_down(Error(Code::phone_not_found, fmt::format("{} from {} within {} ms", what, where(), limit.count())),
              false);
}

}  // namespace drover::fleet
