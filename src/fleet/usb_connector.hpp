// A phone reached directly over USB: its ADB interface is claimed by this process while the connector is started.
//
// Threads: the phone's loop. The connector owns the opening; the bus outlives it. Failure: as DirectConnector; also hopeless
// without permission (after kPermissionTries more attempts: udev sets permissions a little after a phone appears), and when
// another process holds the interface.
#pragma once
#include <memory>
#include <string>

#include "adb/transport/usb_device.hpp"
#include "fleet/direct_connector.hpp"
#include "fleet/usb_hub.hpp"

namespace drover::fleet {

class UsbConnector final : public DirectConnector, private UsbListener {
public:
    static constexpr int kPermissionTries = 3;
    static constexpr std::chrono::milliseconds kPermissionWait{200};

    // hub: tells when the phone was plugged in, so that it need not be asked for again and again; may be null.
    UsbConnector(Loop& loop, std::string instance_id, adb::UsbBus& bus, Address address, LinkConnectorOptions options,
                 UsbHub* hub = nullptr);
    ~UsbConnector() override;
    std::string usb_path() const override { return path_; }
    bool reset_usb() override;

private:
    void on_usb(const adb::UsbPhones& phones) override;
    void dial() override;
    void drop_dial() override;
    std::string where() const override;
    void open();
    void on_opened(Result<std::unique_ptr<adb::UsbDevice>> device);

    adb::UsbBus& bus_;
    const Address address_;
    UsbHub* const hub_;
    std::optional<UsbHub::Subscription> subscription_;  // from the first dial() on
    std::string node_, path_;                           // where the phone is plugged in now; empty: nowhere
    std::unique_ptr<adb::UsbOpening> opening_;
    int permission_tries_ = 0;
    Timer permission_timer_ = Timer::calls<&UsbConnector::open>(*this);
};

}  // namespace drover::fleet
