#include "adb/transport/usb_libusb_device.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <set>
#include <vector>

namespace drover::adb {

// A transfer that has ended, on its way from libusb's thread to the loop.
struct LibusbDevice::Landed {
    bool in = false;
    libusb_transfer_status status = LIBUSB_TRANSFER_ERROR;
    std::size_t actual = 0;
    std::vector<std::uint8_t> buffer;
};

// Lives until the last transfer is back and the handle is closed, which may be after the device's end.
struct LibusbDevice::State {
    State(UsbContext& c, Loop& l, libusb_device_handle* h, int f, const UsbInterface& i, std::string a)
        : context(c), handle(h), fd(f), interface(i), address(std::move(a)), loop(&l) {}

    UsbContext& context;
    libusb_device_handle* const handle;
    const int fd;
    const UsbInterface interface;
    const std::string address;

    // The loop submits and leaves, libusb's thread takes back: the only lock between the two. libusb calls us with none of
    // its own locks held that submit and cancel take.
    std::mutex mutex;
    Loop* loop;                         // null: the device is gone, nothing is to be told
    std::set<libusb_transfer*> flying;  // submitted, not back
    std::condition_variable came_back;

    UsbDeviceSink* sink = nullptr;  // the loop's thread only; null before start() and after on_gone()

    void landed(const Landed& l) {
        if (!sink) return;
        if (l.status == LIBUSB_TRANSFER_COMPLETED && l.in) return sink->on_read({l.buffer.data(), l.actual});
        if (l.status == LIBUSB_TRANSFER_COMPLETED && l.actual == l.buffer.size()) return sink->on_written();
        std::exchange(sink, nullptr)->on_gone(why(l));
    }

    // ERROR, STALL and NO_DEVICE all mean "maybe gone": which of them an unplug gives depends on the host controller.
    static Error why(const Landed& l) {
        switch (l.status) {
            case LIBUSB_TRANSFER_OVERFLOW:
                return Error(Code::protocol_error, "the phone sent more over USB than a packet holds");
            case LIBUSB_TRANSFER_TIMED_OUT:
                return Error(Code::link_lost,
                             fmt::format("the phone took no data over USB for {} s", kWriteMaxMs / 1000));
            case LIBUSB_TRANSFER_NO_DEVICE: return Error(Code::link_lost, "unplugged, or reset");
            case LIBUSB_TRANSFER_STALL: return Error(Code::link_lost, "a USB endpoint of the phone stalled");
            case LIBUSB_TRANSFER_COMPLETED:
            case LIBUSB_TRANSFER_ERROR:
            case LIBUSB_TRANSFER_CANCELLED: break;
        }
        return Error(Code::link_lost, "a USB transfer failed: maybe unplugged");
    }

    bool writes_fly() const {
        return std::any_of(flying.begin(), flying.end(),
                           [](const auto* t) { return (t->endpoint & LIBUSB_ENDPOINT_IN) == 0; });
    }

    // Nobody wants the device any more, but a header may be on its way and its payload not yet: taken back now, they would leave
    // a phone that takes the next session's first packet for the payload. On a worker, as it may wait.
    void let_writes_end() {
        std::unique_lock lock(mutex);
        came_back.wait_for(lock, kLastWritesMax, [this] { return !writes_fly(); });
        for (libusb_transfer* transfer : flying) libusb_cancel_transfer(transfer);
    }

    // Not on libusb's own thread, which may still be inside the handle's events. The caller holds a reference to us.
    static void close_later(const std::shared_ptr<State>& state) {
        state->context.work(state->address, [state] {
            libusb_release_interface(state->handle, state->interface.number);
            libusb_close(state->handle);
            ::close(state->fd);
            state->context.count(-1);
        });
    }
};

struct LibusbDevice::Flight {
    std::shared_ptr<State> state;
    Landed landing;
};

LibusbDevice::LibusbDevice(UsbContext& context, Loop& loop, libusb_device_handle* handle, int fd,
                           const UsbInterface& interface, std::string address)
    : state_(std::make_shared<State>(context, loop, handle, fd, interface, std::move(address))) {
    context.count(1);
}

LibusbDevice::~LibusbDevice() {
    state_->sink = nullptr;
    const std::lock_guard lock(state_->mutex);
    state_->loop = nullptr;
    if (state_->writes_fly()) {
        state_->context.work(state_->address, [state = state_] { state->let_writes_end(); });
        return;
    }
    for (libusb_transfer* transfer : state_->flying) libusb_cancel_transfer(transfer);
    // Otherwise the last transfer that comes back closes it.
    if (state_->flying.empty()) State::close_later(state_);
}

const UsbInterface& LibusbDevice::interface() const { return state_->interface; }

void LibusbDevice::start(UsbDeviceSink& sink) { state_->sink = &sink; }

UsbSubmit LibusbDevice::read(std::size_t bytes) { return submit(true, std::vector<std::uint8_t>(bytes)); }

UsbSubmit LibusbDevice::write(ByteView bytes) { return submit(false, {bytes.begin(), bytes.end()}); }

UsbSubmit LibusbDevice::submit(bool in, std::vector<std::uint8_t> buffer) {
    libusb_transfer* const transfer = libusb_alloc_transfer(0);
    if (!transfer) return UsbSubmit::no_memory;
    auto flight = std::make_unique<Flight>();
    flight->state = state_;
    flight->landing.in = in;
    flight->landing.buffer = std::move(buffer);
    auto& bytes = flight->landing.buffer;
    libusb_fill_bulk_transfer(transfer, state_->handle, in ? state_->interface.in : state_->interface.out, bytes.data(),
                              static_cast<int>(bytes.size()), on_landed, flight.get(), in ? 0 : kWriteMaxMs);
    const std::lock_guard lock(state_->mutex);
    const int rc = libusb_submit_transfer(transfer);
    if (rc != LIBUSB_SUCCESS) {
        libusb_free_transfer(transfer);
        return rc == LIBUSB_ERROR_NO_MEM ? UsbSubmit::no_memory : UsbSubmit::gone;
    }
    state_->flying.insert(transfer);
    (void)flight.release();  // on_landed() takes it back
    return UsbSubmit::queued;
}

void LIBUSB_CALL LibusbDevice::on_landed(libusb_transfer* transfer) {
    const std::unique_ptr<Flight> flight(static_cast<Flight*>(transfer->user_data));
    const std::shared_ptr<State> state = flight->state;
    Landed landed = std::move(flight->landing);
    landed.status = transfer->status;
    landed.actual = static_cast<std::size_t>(transfer->actual_length);
    const std::lock_guard lock(state->mutex);
    state->flying.erase(transfer);
    libusb_free_transfer(transfer);
    state->came_back.notify_all();
    if (state->loop) {
        state->loop->post([state, landed = std::move(landed)] { state->landed(landed); });
    } else if (state->flying.empty()) {
        State::close_later(state);
    }
}

}  // namespace drover::adb
