#include "fleet/server_connector.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/assert.hpp"

namespace drover::fleet {
namespace {

bool matches(const adb::ServerDevice& row, const Address& address) {
    if (const auto* usb = std::get_if<UsbPath>(&address))
        return row.usb_path == usb->path && (usb->serial.empty() || usb->serial == row.serial);
    // Over TCP the server lists a phone under its address.
    return row.serial == to_string(address);
}

// Trying again soon will not help: a person, or whoever runs the server, has to act.
bool is_hopeless(Code code) {
    return code == Code::unauthorized || code == Code::no_permission || code == Code::server_unreachable ||
           code == Code::server_failed;
}

// What the state of a row that takes no commands says of the phone.
PhoneEvent event_of(adb::AdbState state) {
    using adb::AdbState;
    switch (state) {
        case AdbState::connecting: return PhoneEvent::transport_open;
        case AdbState::authorizing: return PhoneEvent::authorizing;
        case AdbState::unauthorized: return PhoneEvent::unauthorized;
        case AdbState::no_permissions: return PhoneEvent::no_permissions;
        case AdbState::bootloader: return PhoneEvent::online_bootloader;
        case AdbState::sideload: return PhoneEvent::online_sideload;
        case AdbState::rescue: return PhoneEvent::online_rescue;
        case AdbState::host: return PhoneEvent::online_foreign;
        case AdbState::offline:
        case AdbState::detached:
        case AdbState::device:
        case AdbState::recovery: break;
    }
    return PhoneEvent::unusable;
}

Error error_of(const adb::ServerDevice& row) {
    switch (row.state) {
        case adb::AdbState::unauthorized:
            return Error(Code::unauthorized,
                         "the phone does not trust the adb server's key: accept it on the phone's screen");
        case adb::AdbState::no_permissions: return Error(Code::no_permission, row.state_text);
        case adb::AdbState::offline:
        case adb::AdbState::connecting:
        case adb::AdbState::authorizing:
        case adb::AdbState::detached:
            return Error(Code::phone_not_found, fmt::format("the adb server lists it as '{}'", row.state_text));
        default: return Error(Code::not_ready, fmt::format("it is in state '{}'", row.state_text));
    }
}

}  // namespace

tl::expected<adb::ServerDevice, RowProblem> find_row(const ServerView& view, const Address& address) {
    const auto problem = [](Error why, PhoneEvent event) {
        return tl::make_unexpected(RowProblem{std::move(why), event});
    };
    if (view.down) return problem(*view.down, PhoneEvent::server_down);
    const auto same = [&](const adb::ServerDevice& row) { return matches(row, address); };
    const auto row = std::find_if(view.devices.begin(), view.devices.end(), same);
    if (row == view.devices.end()) {
        return problem(
            Error(Code::phone_not_found, fmt::format("the adb server does not list '{}'", to_string(address))),
            PhoneEvent::detached);
    }
    if (std::find_if(row + 1, view.devices.end(), same) != view.devices.end()) {
        return problem(
            Error(Code::not_supported,
                  fmt::format("the adb server lists '{}' more than once: give its USB path instead (usb:1-4.2)",
                              to_string(address))),
            PhoneEvent::unusable);
    }
    if (adb::takes_commands(row->state)) return *row;
    return problem(error_of(*row), event_of(row->state));
}

ServerConnector::ServerConnector(Loop& loop, ServerHub& hub, Address address)
    : loop_(loop), hub_(hub), address_(std::move(address)) {}

ServerConnector::~ServerConnector() {
    *self_ = nullptr;
    stop();
}

void ServerConnector::start(ConnectorSink& sink) {
    DROVER_ASSERT(!sink_ && !carrier_);
    sink_ = &sink;
    // What the list said last stays true until it says something else.
    sink.on_phase(Phase::connect, PhoneEvent::attempt, "");
    if (!subscription_) {
        subscription_ = std::make_unique<ServerHub::Subscription>(hub_, loop_, static_cast<ServerListener&>(*this));
        return;
    }
    if (!view_) return;
    // Later: the phone expects no answer from inside start().
    loop_.post([self = self_] {
        if (*self) (*self)->look();
    });
}

void ServerConnector::stop() {
    sink_ = nullptr;
    if (const auto carrier = std::move(carrier_)) carrier->shut(Error(Code::link_lost, "the link was closed"));
}

void ServerConnector::on_view(const std::shared_ptr<const ServerView>& view) {
    view_ = view;
    look();
}

void ServerConnector::look() {
    const auto row = find_row(*view_, address_);
    if (row) usb_path_ = row->usb_path;
    if (!sink_) {
        // Worth an attempt: it can be used, or another thing is wrong with it than before.
        if (row || told_ != row.error().event) hint();
        return;
    }
    told_ = row ? std::nullopt : std::optional(row.error().event);
    if (carrier_) {
        if (row && row->transport_id == transport_id_) return;
        if (row) return down(Error(Code::link_lost, "the phone was plugged again"), PhoneEvent::detached);
        return down(row.error().why, row.error().event);
    }
    if (!row) {
        const auto [why, event] = row.error();
        const bool auth = event == PhoneEvent::unauthorized || event == PhoneEvent::authorizing;
        sink_->on_phase(auth ? Phase::auth : Phase::connect, event, why.message);
        return down(why, event);
    }
    sink_->on_phase(Phase::handshake, PhoneEvent::transport_open, "listed by the adb server");
    transport_id_ = row->transport_id;
    adb::ServerOptions options{hub_.endpoint()};
    carrier_ = std::make_unique<adb::ServerCarrier>(loop_, std::move(options), *row,
                                                    static_cast<adb::ServerCarrierSink&>(*this));
    carrier_->start();
}

void ServerConnector::on_carrier_ready() {
    if (sink_) sink_->on_online(*carrier_);
}

void ServerConnector::on_carrier_lost(const Error& why) {
    down(why, why.code == Code::server_unreachable ? PhoneEvent::server_down : PhoneEvent::link_lost);
}

void ServerConnector::down(const Error& why, PhoneEvent event) {
    // The phone hears of it before the streams do, so that what they start next waits for the next link.
    const auto carrier = std::move(carrier_);
    if (ConnectorSink* sink = std::exchange(sink_, nullptr)) sink->on_down(why, event, is_hopeless(why.code));
    if (carrier) carrier->shut(why);
}

}  // namespace drover::fleet
