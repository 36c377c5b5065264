// libusb for this process: one context, one thread that waits for its events, and a few threads for calls that may block
// (opening, claiming, closing). Private to the usb_libusb files.
//
// Threads: any. Ownership: the bus owns the context; everything that uses it is counted in and out. Failure: finish() says when
// something is not counted out in time; then the context must stay for ever, as libusb may still use it.
#pragma once
#include <libusb-1.0/libusb.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "base/keyed_work.hpp"
#include "drover/error.hpp"

namespace drover::adb {

class UsbContext {
public:
    // A device that hangs while it is opened (the kernel gives each control transfer up to 5 s) holds up one of them, and itself.
    static constexpr std::size_t kWorkersMax = 16;

    static Result<std::unique_ptr<UsbContext>> make();
    ~UsbContext();  // after finish() said true
    UsbContext(const UsbContext&) = delete;
    UsbContext& operator=(const UsbContext&) = delete;

    libusb_context* get() { return context_; }

    // `rung` is called on libusb's thread whenever a device has come or gone; empty: no more, once this has returned.
    void on_hotplug(std::function<void()> rung);

    // Runs f on a worker, after what was given for the same device before; counted until it has run. `device`: its address; empty:
    // in no order.
    void work(std::string device, std::function<void()> f) {
        count(1);
        workers_->post(std::move(device), [this, f = std::move(f)]() mutable {
            f();
            f = nullptr;
            count(-1);
        });
    }
    // +1 for each open device; -1 when it is closed.
    void count(int change);
    // Waits until all is counted out.
    bool finish(std::chrono::milliseconds limit);

private:
    explicit UsbContext(libusb_context* context);
    void handle_events();
    static int LIBUSB_CALL on_event(libusb_context*, libusb_device*, libusb_hotplug_event, void* self);

    libusb_context* const context_;
    std::mutex mutex_;
    std::condition_variable changed_;
    int users_ = 0;             // guarded by mutex_
    std::mutex hotplug_mutex_;  // held while `rung_` is called
    std::function<void()> rung_;
    std::optional<libusb_hotplug_callback_handle> hotplug_;
    std::atomic<bool> stopping_{false};
    std::optional<KeyedWork> workers_{std::in_place, kWorkersMax};
    std::thread events_;
};

}  // namespace drover::adb
