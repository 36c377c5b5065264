#include "fleet/usb_connector.hpp"

#include "adb/transport/usb_transport.hpp"

namespace drover::fleet {
namespace {

PhoneEvent event_of_open(Code code) {
    switch (code) {
        case Code::no_permission: return PhoneEvent::no_permissions;
        case Code::phone_not_found: return PhoneEvent::detached;
        case Code::interface_busy: return PhoneEvent::unusable;
        default: return PhoneEvent::no_connection;
    }
}

}  // namespace

UsbConnector::UsbConnector(Loop& loop, std::string instance_id, adb::UsbBus& bus, Address address,
                           LinkConnectorOptions options, UsbHub* hub)
    : DirectConnector(loop, std::move(instance_id), std::move(options)),
      bus_(bus),
      address_(std::move(address)),
      hub_(hub) {}

UsbConnector::~UsbConnector() { stop(); }

void UsbConnector::dial() {
    if (hub_ && !subscription_) subscription_.emplace(*hub_, loop(), static_cast<UsbListener&>(*this));
    permission_tries_ = 0;
    open();
}

// The node has another number after each plug: one that was not there before is worth an attempt.
void UsbConnector::on_usb(const adb::UsbPhones& phones) {
    std::string node, path;
    std::size_t found = 0;
    for (const auto& phone : *phones) {
        const auto* usb = std::get_if<UsbPath>(&address_);
        if (usb ? phone.path != usb->path : phone.serial != to_string(address_)) continue;
        if (usb && !usb->serial.empty() && phone.serial != usb->serial) continue;
        ++found;
        node = phone.node;
        path = phone.path;
    }
    if (found != 1) node.clear(), path.clear();
    path_ = path;
    if (std::exchange(node_, node) != node && !node.empty()) hint();
}

bool UsbConnector::reset_usb() {
    bus_.reset(address_);
    return true;
}

void UsbConnector::drop_dial() {
    permission_timer_.cancel();
    opening_.reset();
}

std::string UsbConnector::where() const { return to_string(address_); }

void UsbConnector::open() {
    opening_ = bus_.open(loop(), address_,
                         [this](Result<std::unique_ptr<adb::UsbDevice>> device) { on_opened(std::move(device)); });
}

void UsbConnector::on_opened(Result<std::unique_ptr<adb::UsbDevice>> device) {
    if (device) {
        return connected([&](adb::TransportSink& sink) {
            return std::make_unique<adb::UsbTransport>(loop(), std::move(*device), sink);
        });
    }
    const Code code = device.error().code;
    if (code == Code::no_permission && permission_tries_ < kPermissionTries) {
        ++permission_tries_;
        return loop().arm_after(permission_timer_, kPermissionWait);
    }
    // A person, or the other process, has to act; a phone that is not there may still be plugged in.
    const bool hopeless = code == Code::no_permission || code == Code::interface_busy;
    const Error why = device.error();
    failed(why, event_of_open(code), hopeless);
}

}  // namespace drover::fleet
