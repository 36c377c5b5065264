// A claimed ADB interface behind libusb. Private to the usb_libusb files; contract: UsbDevice. May be destroyed on any thread
// as long as it was not started.
#pragma once
#include <chrono>
#include <memory>

#include "adb/transport/usb_context.hpp"
#include "adb/transport/usb_device.hpp"

namespace drover::adb {

class LibusbDevice final : public UsbDevice {
public:
    // A phone that takes nothing for that long is stuck; what was half sent cannot be taken back, so its link ends.
    static constexpr unsigned kWriteMaxMs = 10'000;
    // What was handed over when the device is let go may take that long to leave.
    static constexpr std::chrono::milliseconds kLastWritesMax{100};

    // Takes over the handle, with its interface claimed, and the descriptor under it. `address`: it was opened by.
    LibusbDevice(UsbContext& context, Loop& loop, libusb_device_handle* handle, int fd, const UsbInterface& interface,
                 std::string address);
    ~LibusbDevice() override;

    const UsbInterface& interface() const override;
    void start(UsbDeviceSink& sink) override;
    UsbSubmit read(std::size_t bytes) override;
    UsbSubmit write(ByteView bytes) override;

private:
    struct State;
    struct Flight;
    struct Landed;
    static void LIBUSB_CALL on_landed(libusb_transfer* transfer);
    UsbSubmit submit(bool in, std::vector<std::uint8_t> buffer);

    std::shared_ptr<State> state_;
};

}  // namespace drover::adb
