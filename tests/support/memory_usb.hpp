// A USB bus in memory: phones that a test plugs in, and devices whose two endpoints keep the rules of USB. The test plays the
// phone. One thread: the phone's loop, or the test's within LoopPool::run_on().
#pragma once
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "adb/transport/usb_device.hpp"
#include "support/usb_pipe.hpp"

namespace drover::test {

// What the test sees of a device; it outlives the device.
struct MemoryUsbPort {
    explicit MemoryUsbPort(std::size_t packet_bytes = 512) : to_host(packet_bytes) {
        interface.number = 1;
        interface.in = 0x81;
        interface.out = 0x01;
        interface.in_packet_bytes = interface.out_packet_bytes = static_cast<std::uint16_t>(packet_bytes);
    }

    adb::UsbInterface interface;
    adb::UsbDeviceSink* sink = nullptr;
    bool open = false;
    UsbPipe to_host;
    std::deque<std::size_t> reads;                  // queued, not yet ended
    std::vector<std::vector<std::uint8_t>> writes;  // all so far
    std::size_t written = 0;                        // of them, reported as ended
    std::deque<adb::UsbSubmit> answers;             // for the next submits; then `queued`
    std::vector<std::size_t> refused;               // sizes that got no_memory
    bool overflow = false;

    // The phone sends one transfer.
    void say(ByteView bytes) {
        to_host.write(bytes);
        end_reads();
    }
    void end_reads() {
        while (open && !reads.empty()) {
            const auto r = to_host.read(reads.front());
            if (!r) return;
            overflow |= r->overflow;
            reads.pop_front();
            sink->on_read(r->bytes);
        }
    }
    void end_writes() {
        while (open && written < writes.size()) {
            ++written;
            sink->on_written();
        }
    }
    void unplug() {
        if (open) sink->on_gone(Error(Code::link_lost, "unplugged"));
    }
    // All bytes the host sent.
    std::vector<std::uint8_t> sent() const {
        std::vector<std::uint8_t> all;
        for (const auto& w : writes) all.insert(all.end(), w.begin(), w.end());
        return all;
    }
    adb::UsbSubmit answer(std::size_t bytes) {
        if (answers.empty()) return adb::UsbSubmit::queued;
        const auto a = answers.front();
        answers.pop_front();
        if (a == adb::UsbSubmit::no_memory) refused.push_back(bytes);
        return a;
    }
};

class MemoryUsbDevice final : public adb::UsbDevice {
public:
    explicit MemoryUsbDevice(std::shared_ptr<MemoryUsbPort> port) : port_(std::move(port)) { port_->open = true; }
    ~MemoryUsbDevice() override {
        port_->open = false;
        port_->reads.clear();
    }
    const adb::UsbInterface& interface() const override { return port_->interface; }
    void start(adb::UsbDeviceSink& sink) override { port_->sink = &sink; }
    adb::UsbSubmit read(std::size_t bytes) override {
        const auto a = port_->answer(bytes);
        if (a == adb::UsbSubmit::queued) port_->reads.push_back(bytes);
        return a;
    }
    adb::UsbSubmit write(ByteView bytes) override {
        const auto a = port_->answer(bytes.size());
        if (a == adb::UsbSubmit::queued) port_->writes.emplace_back(bytes.begin(), bytes.end());
        return a;
    }

private:
    std::shared_ptr<MemoryUsbPort> port_;
};

class MemoryUsbBus final : public adb::UsbBus {
public:
    std::map<std::string, std::shared_ptr<MemoryUsbPort>> plugged;  // by to_string(address)
    std::map<std::string, std::deque<Error>> refusals;              // told first
    std::vector<std::string> opened;                                // every open(), in order

    std::unique_ptr<adb::UsbOpening> open(Loop& loop, const Address& address, Opened done) override {
        opened.push_back(to_string(address));
        auto opening = std::make_unique<Opening>();
        loop.post([this, alive = opening->alive, name = to_string(address), done = std::move(done)] {
            if (*alive) done(answer(name));
        });
        return opening;
    }

    std::unique_ptr<adb::UsbWatching> watch(adb::UsbWatcher::Changed told) override {
        struct Watching final : adb::UsbWatching {};
        changed = std::move(told);
        return std::make_unique<Watching>();
    }
    void reset(const Address& address) override { resets.push_back(to_string(address)); }
    std::vector<std::string> resets;
    adb::UsbWatcher::Changed changed;  // tells the watch of a list, as hotplug would

private:
    struct Opening final : adb::UsbOpening {
        std::shared_ptr<bool> alive = std::make_shared<bool>(true);
        ~Opening() override { *alive = false; }
    };
    Result<std::unique_ptr<adb::UsbDevice>> answer(const std::string& name) {
        if (auto& errors = refusals[name]; !errors.empty()) {
            const Error e = errors.front();
            errors.pop_front();
            return tl::unexpected(e);
        }
        const auto it = plugged.find(name);
        if (it == plugged.end()) return fail(Code::phone_not_found, "no USB device at " + name);
        return std::unique_ptr<adb::UsbDevice>(std::make_unique<MemoryUsbDevice>(it->second));
    }
};

}  // namespace drover::test
