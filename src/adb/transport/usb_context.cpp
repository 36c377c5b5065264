#include "adb/transport/usb_context.hpp"

#include <fmt/format.h>

#include "base/log.hpp"

namespace drover::adb {

Result<std::unique_ptr<UsbContext>> UsbContext::make() {
    libusb_context* context = nullptr;
    if (const int rc = libusb_init(&context); rc != LIBUSB_SUCCESS) {
        return fail(Code::out_of_resources, fmt::format("USB cannot be used on this host: {}", libusb_strerror(rc)));
    }
    return std::unique_ptr<UsbContext>(new UsbContext(context));
}

UsbContext::UsbContext(libusb_context* context) : context_(context), events_([this] { handle_events(); }) {}

UsbContext::~UsbContext() {
    if (hotplug_) libusb_hotplug_deregister_callback(context_, *hotplug_);
    stopping_ = true;
    libusb_interrupt_event_handler(context_);
    events_.join();
    workers_.reset();
    libusb_exit(context_);
}

int LIBUSB_CALL UsbContext::on_event(libusb_context*, libusb_device*, libusb_hotplug_event, void* self) {
    auto& context = *static_cast<UsbContext*>(self);
    const std::lock_guard lock(context.hotplug_mutex_);
    if (context.rung_) context.rung_();
    return 0;
}

void UsbContext::on_hotplug(std::function<void()> rung) {
    const bool wanted = static_cast<bool>(rung);
    {
        const std::lock_guard lock(hotplug_mutex_);
        rung_ = std::move(rung);
    }
    if (!wanted || hotplug_) return;
    // Which devices libusb believes to be there is not asked: see UsbWatcher.
    libusb_hotplug_callback_handle handle = 0;
    const int rc = libusb_hotplug_register_callback(
        context_, LIBUSB_HOTPLUG_EVENT_DEVICE_ARRIVED | LIBUSB_HOTPLUG_EVENT_DEVICE_LEFT, 0, LIBUSB_HOTPLUG_MATCH_ANY,
        LIBUSB_HOTPLUG_MATCH_ANY, LIBUSB_HOTPLUG_MATCH_ANY, &UsbContext::on_event, this, &handle);
    if (rc != LIBUSB_SUCCESS) {
        log::warn("USB hotplug does not work here ({}): new phones are seen a little later", libusb_strerror(rc));
        return;
    }
    hotplug_ = handle;
}

void UsbContext::handle_events() {
    while (!stopping_) {
        const int rc = libusb_handle_events_completed(context_, nullptr);
        if (rc != LIBUSB_SUCCESS && rc != LIBUSB_ERROR_INTERRUPTED) {
            // Not seen to happen; if it does, it must not take a whole core.
            log::warn("USB events: {}", libusb_strerror(rc));
            std::this_thread::sleep_for(std::chrono::milliseconds(100));
        }
    }
}

void UsbContext::count(int change) {
    // Told under the lock: who waits in finish() may destroy us as soon as it has the lock.
    const std::lock_guard lock(mutex_);
    users_ += change;
    changed_.notify_all();
}

bool UsbContext::finish(std::chrono::milliseconds limit) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, limit, [this] { return users_ == 0; });
}

}  // namespace drover::adb
