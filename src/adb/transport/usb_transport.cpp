#include "adb/transport/usb_transport.hpp"

#include <algorithm>

#include "adb/transport/usb_reader.hpp"
#include "adb/transport/usb_writer.hpp"

namespace drover::adb {

// Shared with what is posted, so that the transport can be destroyed inside any callback.
struct UsbTransport::State final : UsbDeviceSink, std::enable_shared_from_this<State> {
    State(Loop& l, std::unique_ptr<UsbDevice> d, TransportSink& s)
        : loop(l),
          device(std::move(d)),
          sink(&s),
          reader(device->interface().in_packet_bytes),
          writer(device->interface().out_packet_bytes) {}

    void lost(const Error& why) {
        if (TransportSink* s = std::exchange(sink, nullptr)) s->on_lost(why);
    }

    // From a clean stack: the caller may be inside one of our callbacks.
    void lost_later(Error why) {
        if (std::exchange(failed, true)) return;
        loop.post([self = shared_from_this(), why = std::move(why)] { self->lost(why); });
    }

    void on_read(ByteView bytes) override {
        if (!sink) return;
        const auto self = shared_from_this();
        const auto packets = reader.came(bytes);
        if (!packets) return lost(packets.error());
        // What comes next is asked for before this is worked on: the phone need not wait for us.
        queue_reads();
        if (!packets->empty() && sink) sink->on_bytes(*packets);
    }

    void on_written() override {
        --writing;
        if (sink && !failed) queue_writes();
    }

    void on_gone(const Error& why) override {
        const auto self = shared_from_this();
        lost(why);
    }

    void queue_reads() {
        while (std::size_t bytes = reader.next_size()) {
            const std::size_t packet = device->interface().in_packet_bytes;
            bytes = std::min(bytes, std::max(piece_bytes / packet, std::size_t{1}) * packet);
            const UsbSubmit result = device->read(bytes);
            if (result == UsbSubmit::queued) reader.asked(bytes);
            if (!go_on(result, bytes > packet)) return;
        }
    }

    void queue_writes() {
        while (writing < kWritesMax) {
            const auto bytes = writer.next(piece_bytes);
            if (!bytes) return;
            const UsbSubmit result = device->write(*bytes);
            const bool divisible = bytes->size() > device->interface().out_packet_bytes;
            if (result == UsbSubmit::queued) {
                ++writing;
                writer.sent(bytes->size());
            }
            if (!go_on(result, divisible)) return;
        }
    }

    // After each submit: whether the next one may be tried at once.
    bool go_on(UsbSubmit result, bool divisible) {
        switch (result) {
            case UsbSubmit::queued:
                piece_bytes = std::min(piece_bytes * 2, UsbWriter::kPieceBytesMax);
                memory_tries = 0;
                return true;
            case UsbSubmit::gone: lost_later(Error(Code::link_lost, "the USB device is gone")); return false;
            case UsbSubmit::no_memory: break;
        }
        if (divisible) {
            piece_bytes /= 2;
            return true;
        }
        if (memory_retry.armed()) return false;
        if (++memory_tries > kMemoryTriesMax) {
            lost_later(Error(
                Code::out_of_resources,
                "the kernel has no memory for USB transfers; see /sys/module/usbcore/parameters/usbfs_memory_mb"));
        } else {
            loop.arm_after(memory_retry, kMemoryWait);
        }
        return false;
    }

    void try_again() {
        if (!sink || failed) return;
        queue_reads();
        if (!failed) queue_writes();
    }

    Loop& loop;
    std::unique_ptr<UsbDevice> device;
    TransportSink* sink;  // null: lost, or nobody listens any more
    UsbReader reader;
    UsbWriter writer;
    std::size_t writing = 0;
    std::size_t piece_bytes = UsbWriter::kPieceBytesMax;  // halved while memory is short
    int memory_tries = 0;
    bool failed = false;
    Timer memory_retry = Timer::calls<&State::try_again>(*this);
};

UsbTransport::UsbTransport(Loop& loop, std::unique_ptr<UsbDevice> device, TransportSink& sink)
    : state_(std::make_shared<State>(loop, std::move(device), sink)) {}

UsbTransport::~UsbTransport() {
    state_->sink = nullptr;
    state_->memory_retry.cancel();
    // The sink may be what destroys us, from inside the device's own callback; queued calls find no device.
    state_->device.reset();
}

void UsbTransport::start() {
    state_->device->start(*state_);
    state_->queue_reads();
}

void UsbTransport::write(std::vector<std::uint8_t>& packets) {
    if (!state_->sink || state_->failed) return packets.clear();
    state_->writer.push(packets);
    state_->queue_writes();
}

std::size_t UsbTransport::queued() const { return state_->writer.queued(); }

}  // namespace drover::adb
