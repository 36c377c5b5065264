// ADB over USB: a claimed interface as a Transport.
//
// Threads: the loop's. Ownership: the caller owns the transport, the transport its device; the sink outlives both. Failure:
// on_lost(), once, for a device that is maybe gone, for junk without end, and when the kernel has no memory for too long.
#pragma once
#include <memory>

#include "adb/transport/transport.hpp"
#include "adb/transport/usb_device.hpp"

namespace drover::adb {

class UsbTransport final : public Transport {
public:
    static constexpr std::size_t kWritesMax = 4;  // under way at once
    // Without memory for a transfer: smaller ones are tried, then the same again, that often and that far apart.
    static constexpr std::chrono::milliseconds kMemoryWait{20};
    static constexpr int kMemoryTriesMax = 250;

    UsbTransport(Loop& loop, std::unique_ptr<UsbDevice> device, TransportSink& sink);
    ~UsbTransport() override;

    void start() override;
    void write(std::vector<std::uint8_t>& packets) override;
    std::size_t queued() const override;

private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace drover::adb
