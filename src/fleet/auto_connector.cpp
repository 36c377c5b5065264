#include "fleet/auto_connector.hpp"

#include <utility>

#include "base/assert.hpp"

namespace drover::fleet {

AutoConnector::AutoConnector(Loop& loop, ServerHub& hub, std::unique_ptr<Connector> server,
                             std::unique_ptr<Connector> usb)
    : loop_(loop), hub_(hub), server_(std::move(server)), usb_(std::move(usb)) {
    for (Connector* way : {server_.get(), usb_.get()}) {
        way->on_hint([this] {
            if (!sink_) hint();
        });
    }
}

AutoConnector::~AutoConnector() { stop(); }

void AutoConnector::start(ConnectorSink& sink) {
    DROVER_ASSERT(!sink_ && !way_);
    sink_ = &sink;
    if (view_) return choose();
    sink.on_phase(Phase::connect, PhoneEvent::attempt, "");
    if (!subscription_)
        subscription_ = std::make_unique<ServerHub::Subscription>(hub_, loop_, static_cast<ServerListener&>(*this));
}

void AutoConnector::stop() {
    sink_ = nullptr;
    if (Connector* way = std::exchange(way_, nullptr)) way->stop();
}

std::string AutoConnector::usb_path() const { return last_way_ ? last_way_->usb_path() : std::string(); }

void AutoConnector::on_view(const std::shared_ptr<const ServerView>& view) {
    view_ = view;
    if (sink_ && !way_) choose();
}

void AutoConnector::choose() { begin(server_runs() ? *server_ : *usb_); }

void AutoConnector::begin(Connector& way) {
    way_ = last_way_ = &way;
    way.start(*this);
}

void AutoConnector::on_phase(Phase phase, PhoneEvent event, std::string_view why) {
    if (sink_) sink_->on_phase(phase, event, why);
}

void AutoConnector::on_online(adb::Carrier& carrier) {
    if (sink_) sink_->on_online(carrier);
}

void AutoConnector::on_unauthorized(const Error& why) {
    if (sink_) sink_->on_unauthorized(why);
}

void AutoConnector::on_down(const Error& why, PhoneEvent event, bool hopeless) {
    const bool busy = why.code == Code::interface_busy;
    Connector* const was = std::exchange(way_, nullptr);
    if (busy && was == usb_.get() && sink_ && server_runs()) return begin(*server_);
    // A server that has just ended leaves the phone to us: those who wait need not give up.
    const bool server_gone = was == server_.get() && why.code == Code::server_unreachable;
    if (ConnectorSink* sink = std::exchange(sink_, nullptr))
        sink->on_down(why, event, hopeless && !busy && !server_gone);
}

}  // namespace drover::fleet
