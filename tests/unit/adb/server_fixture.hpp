// One carrier to a scripted server, on a loop of its own, and what happened on it, for the test's thread to wait for.
// Ownership: the fixture ends loop and carrier before the server.
#pragma once
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>

#include "adb/server_carrier.hpp"
#include "unit/adb/server_fake.hpp"

namespace drover::adb::test {

using namespace std::chrono_literals;

inline ServerDevice device_7() {
    ServerDevice device;
    device.transport_id = 7;
    device.state = AdbState::device;
    device.model = "Pixel";
    return device;
}

template <class T>
class Event {
public:
    void set(T value) {
        const auto promise = promise_;  // the test may end, and this object with it, as soon as the value is there
        promise->set_value(std::move(value));
    }
    T get() {
        if (future_.wait_for(20s) != std::future_status::ready) throw std::runtime_error("nothing happened");
        return future_.get();
    }

private:
    std::shared_ptr<std::promise<T>> promise_ = std::make_shared<std::promise<T>>();
    std::future<T> future_ = promise_->get_future();
};

using Why = std::optional<Error>;

struct Handler final : StreamHandler {
    Event<bool> opened, writable;
    Event<Why> closed;
    std::string data;
    std::function<Ack(ByteView)> on_bytes = [](ByteView) { return Ack::now; };
    std::function<void()> when_closed = [] {};
    bool told_writable = false;

    void on_open() override { opened.set(true); }
    Ack on_data(ByteView bytes) override {
        data += as_text(bytes);
        return on_bytes(bytes);
    }
    void on_writable() override {
        if (!std::exchange(told_writable, true)) writable.set(true);
    }
    void on_closed(const Why& why) override {
        when_closed();
        closed.set(why);
    }
};

class Server : public testing::Test, public ServerCarrierSink {
protected:
    // Not in the destructor: the loop still calls this object as its sink.
    void TearDown() override {
        pool_.run_on(0, [this] { carrier_.reset(); });
        pool_.stop();
    }
    void serve(FakeServer::Script script) { server_ = std::make_unique<FakeServer>(std::move(script)); }
    void connect(Duration reply = 20s, Duration open = 20s) {
        pool_.run_on(0, [&] {
            ServerOptions options;
            options.endpoint = server_->endpoint();
            options.reply_deadline = reply;
            options.open_deadline = open;
            carrier_ = std::make_unique<ServerCarrier>(pool_.at(0), std::move(options), device_7(), *this);
            carrier_->start();
        });
    }
    void ready(FakePhone phone, Duration reply = 20s, Duration open = 20s) {
        serve(std::move(phone));
        connect(reply, open);
        ready_.get();
    }
    StreamId open(std::string_view service, StreamHandler& handler) {
        StreamId id = 0;
        pool_.run_on(0, [&] { id = carrier_->open(service, handler).value(); });
        return id;
    }
    template <class F>
    void on_loop(F f) {
        pool_.run_on(0, f);
    }

    void on_carrier_ready() override { ready_.set(true); }
    void on_carrier_lost(const Error& why) override {
        carrier_.reset();
        lost_.set(why);
    }

    Event<bool> ready_;
    Event<Error> lost_;
    std::atomic<bool> broken_ =
        false;  // scripts look at it: they run until server_ is gone, longer than a test's locals
    std::unique_ptr<FakeServer> server_;
    std::unique_ptr<ServerCarrier> carrier_;
    LoopPool pool_{1};
};

}  // namespace drover::adb::test
