// Phones on this host's USB, through sysfs and libusb: the real UsbBus.
//
// Threads: open() from any loop; each device belongs to the loop it was opened for. Ownership: the bus outlives its devices and
// openings; destroying it waits until all devices are closed, at most kCloseWait. Failure: as UsbBus; where libusb cannot
// be used at all, every open() says so.
#pragma once
#include <memory>
#include <optional>

#include "adb/transport/usb_device.hpp"
#include "adb/transport/usb_sysfs.hpp"

namespace drover::adb {

class UsbContext;

class LibusbBus final : public UsbBus {
public:
    static constexpr std::chrono::milliseconds kCloseWait{5'000};

    explicit LibusbBus(UsbTree tree = UsbTree());
    ~LibusbBus() override;

    std::unique_ptr<UsbOpening> open(Loop& loop, const Address& address, Opened opened) override;
    void reset(const Address& address) override;
    std::unique_ptr<UsbWatching> watch(UsbWatcher::Changed changed) override;

private:
    const UsbTree tree_;
    std::unique_ptr<UsbContext> context_;
    std::optional<Error> unusable_;
};

}  // namespace drover::adb
