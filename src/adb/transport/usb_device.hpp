// A phone's ADB interface on USB, and the bus it is found on: small enough to have one real version (libusb) and one in memory.
//
// Threads: the phone's loop, for all calls and callbacks. Ownership: the caller owns device and opening; the sink outlives the
// device. Failure: as said at each call; a device that fails any transfer is maybe gone, and is reported gone.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include "adb/transport/usb_interface.hpp"
#include "adb/transport/usb_watcher.hpp"
#include "base/bytes.hpp"
#include "base/loop_pool.hpp"
#include "drover/error.hpp"
#include "drover/instance.hpp"

namespace drover::adb {

// Calls come from a clean stack; the device may be destroyed inside each of them.
class UsbDeviceSink {
public:
    virtual void on_read(ByteView bytes) = 0;    // the oldest read ended, maybe short; valid during the call
    virtual void on_written() = 0;               // the oldest write ended
    virtual void on_gone(const Error& why) = 0;  // once, the last call

protected:
    ~UsbDeviceSink() = default;
};

enum class UsbSubmit : std::uint8_t {
    queued,
    no_memory,  // the kernel has none for a transfer of that size now; try again, or a smaller one
    gone,       // on_gone() does not follow from this
};

class UsbDevice {
public:
    // Takes back every transfer under way, waits elsewhere until all are back, then closes. Nothing is called any more.
    virtual ~UsbDevice() = default;
    virtual const UsbInterface& interface() const = 0;
    // Once, before the first read or write.
    virtual void start(UsbDeviceSink& sink) = 0;
    // One transfer; those of one direction run in the order of the calls.
    virtual UsbSubmit read(std::size_t bytes) = 0;
    virtual UsbSubmit write(ByteView bytes) = 0;  // copied; empty: an empty transfer
};

// An open() under way; destroying it means that nobody wants the answer any more.
class UsbOpening {
public:
    virtual ~UsbOpening() = default;
};

// A watch over a bus; destroying it ends it, and nothing is called any more.
class UsbWatching {
public:
    virtual ~UsbWatching() = default;
};

class UsbBus {
public:
    using Opened = std::function<void(Result<std::unique_ptr<UsbDevice>>)>;

    virtual ~UsbBus() = default;
    // Finds the phone at an address (a path or a serial), opens it and claims its ADB interface; elsewhere, as all of this may
    // block. `opened` is called later, once, on `loop`: phone_not_found, no_permission, interface_busy (with the holder),
    // out_of_resources.
    virtual std::unique_ptr<UsbOpening> open(Loop& loop, const Address& address, Opened opened) = 0;
    // Resets the port of the phone at an address, elsewhere and some time later; what does not work is logged.
    virtual void reset(const Address& address) = 0;
    // Tells the phones that are plugged in, soon, and again whenever others are. `changed` is called on a thread of the bus. One
    // watch at a time; the bus outlives it.
    virtual std::unique_ptr<UsbWatching> watch(UsbWatcher::Changed changed) = 0;
};

}  // namespace drover::adb
