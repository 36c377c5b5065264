// `via: auto`: which way is taken, and when it is changed.
#include "fleet/auto_connector.hpp"

#include <gmock/gmock.h>

#include <condition_variable>

#include "support/fake_phone.hpp"
#include "unit/adb/server_fake.hpp"

namespace drover::test {
namespace {

using adb::test::FakeConnection;
using adb::test::FakeServer;

void serve_empty_list(FakeConnection& c) {
    const auto request = c.request();
    if (request == "host:devices-l") c.send_body("");
    if (request == "host:track-devices" && c.send("OKAY0000")) c.wait_closed();
}

std::uint16_t free_port() { return FakeServer(serve_empty_list).port(); }

// What the hub says, for a test that waits for it.
struct Views final : fleet::ServerListener {
    std::mutex mutex;
    std::condition_variable changed;
    std::shared_ptr<const fleet::ServerView> last;

    void on_view(const std::shared_ptr<const fleet::ServerView>& view) override {
        const std::lock_guard lock(mutex);
        last = view;
        changed.notify_all();
    }
    void wait(bool down) {
        std::unique_lock lock(mutex);
        changed.wait(lock, [&] { return last && last->down.has_value() == down; });
    }
};

struct HeardConnector final : fleet::ConnectorSink {
    std::mutex mutex;
    std::condition_variable changed;
    int online = 0;
    std::vector<std::pair<Code, bool>> down;

    void on_phase(Phase, fleet::PhoneEvent, std::string_view) override {}
    void on_unauthorized(const Error&) override {}
    void on_online(adb::Carrier&) override {
        const std::lock_guard lock(mutex);
        ++online;
        changed.notify_all();
    }
    void on_down(const Error& why, fleet::PhoneEvent, bool hopeless) override {
        const std::lock_guard lock(mutex);
        down.emplace_back(why.code, hopeless);
        changed.notify_all();
    }
    void wait_online(int n) {
        std::unique_lock lock(mutex);
        changed.wait(lock, [&] { return online >= n; });
    }
    void wait_down(std::size_t n) {
        std::unique_lock lock(mutex);
        changed.wait(lock, [&] { return down.size() >= n; });
    }
};

class AutoConnectorTest : public ::testing::Test {
protected:
    void make(std::uint16_t port) {
        pool.run_on(0, [&] {
            hub = std::make_unique<fleet::ServerHub>(pool.at(0), FakeServer::endpoint_at(port));
            seen = std::make_unique<fleet::ServerHub::Subscription>(*hub, pool.at(0),
                                                                    static_cast<fleet::ServerListener&>(views));
            auto s = std::make_unique<FakeConnector>(pool.at(0));
            auto u = std::make_unique<FakeConnector>(pool.at(0));
            server = s.get(), usb = u.get();
            connector = std::make_unique<fleet::AutoConnector>(pool.at(0), *hub, std::move(s), std::move(u));
        });
    }
    ~AutoConnectorTest() override {
        pool.run_on(0, [&] {
            connector.reset();
            seen.reset();
            hub.reset();
        });
    }
    void start() {
        pool.run_on(0, [&] { connector->start(sink); });
    }
    // Starts of either way.
    std::pair<int, int> starts() {
        std::pair<int, int> n;
        pool.run_on(0, [&] { n = {server->starts, usb->starts}; });
        return n;
    }

    Views views;
    HeardConnector sink;
    LoopPool pool{1};
    std::unique_ptr<fleet::ServerHub> hub;
    std::unique_ptr<fleet::ServerHub::Subscription> seen;
    FakeConnector* server = nullptr;
    FakeConnector* usb = nullptr;
    std::unique_ptr<fleet::AutoConnector> connector;
};

TEST_F(AutoConnectorTest, ARunningServerHasThePhone) {
    FakeServer runs(serve_empty_list);
    make(runs.port());
    start();
    sink.wait_online(1);
    EXPECT_EQ(starts(), std::pair(1, 0));
    pool.run_on(0, [&] { connector->stop(); });
}

TEST_F(AutoConnectorTest, WithoutAServerItIsOpenedDirectly) {
    make(free_port());
    start();
    sink.wait_online(1);
    EXPECT_EQ(starts(), std::pair(0, 1));
}

TEST_F(AutoConnectorTest, ABusyInterfaceIsReachedThroughTheServerThatHoldsIt) {
    const auto port = free_port();
    make(port);
    views.wait(true);
    pool.run_on(0, [&] {
        usb->behave = FakeConnector::Behave::mute;
        connector->start(sink);
    });
    FakeServer started_meanwhile(serve_empty_list, port);
    views.wait(false);
    pool.run_on(0, [&] { usb->down(Error(Code::interface_busy, "an adb server (pid 7) holds it"), true); });
    sink.wait_online(1);
    EXPECT_EQ(starts(), std::pair(1, 1));
    EXPECT_TRUE(sink.down.empty()) << "the attempt was not over";
}

TEST_F(AutoConnectorTest, BusyWithoutAServerIsNotHopeless) {
    make(free_port());
    views.wait(true);
    pool.run_on(0, [&] {
        usb->behave = FakeConnector::Behave::mute;
        connector->start(sink);
    });
    pool.run_on(0, [] {});  // the view is posted by the handler that may only be ending now
    pool.run_on(0, [&] { usb->down(Error(Code::interface_busy, "scrcpy (pid 7) holds it"), true); });
    sink.wait_down(1);
    EXPECT_EQ(sink.down[0], std::pair(Code::interface_busy, false));
}

TEST_F(AutoConnectorTest, WhenTheServerEndsTheNextAttemptIsDirect) {
    auto runs = std::make_unique<FakeServer>(serve_empty_list);
    make(runs->port());
    start();
    sink.wait_online(1);
    runs.reset();
    views.wait(true);
    pool.run_on(0, [&] { server->down(Error(Code::server_unreachable, "it ended"), true); });
    sink.wait_down(1);
    EXPECT_EQ(sink.down[0], std::pair(Code::server_unreachable, false)) << "those who wait need not give up";
    start();
    sink.wait_online(2);
    EXPECT_EQ(starts(), std::pair(1, 1));
}

}  // namespace
}  // namespace drover::test
