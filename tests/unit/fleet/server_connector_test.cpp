// What an adb server's list says of a phone that cannot be used, and that trying again does not say anything else.
#include "fleet/server_connector.hpp"

#include <gmock/gmock.h>

#include <condition_variable>

#include "fleet/phone.hpp"
#include "unit/adb/server_fake.hpp"

namespace drover::test {
namespace {

using adb::test::FakeConnection;
using adb::test::FakeServer;

// Counts the attempts of the phone.
class CountedConnector final : public fleet::Connector {
public:
    CountedConnector(std::unique_ptr<fleet::Connector> inner, std::function<void()> started)
        : inner_(std::move(inner)), started_(std::move(started)) {}
    void start(fleet::ConnectorSink& sink) override {
        inner_->start(sink);
        started_();
    }
    void stop() override { inner_->stop(); }

private:
    const std::unique_ptr<fleet::Connector> inner_;
    const std::function<void()> started_;
};

class ServerConnectorTest : public ::testing::Test, private fleet::StateListener {
protected:
    void make(std::uint16_t port) {
        pool.run_on(0, [&] {
            hub = std::make_unique<fleet::ServerHub>(pool.at(0), FakeServer::endpoint_at(port));
            Instance instance;
            instance.id = "p0";
            instance.address = UsbPath{"1-4"};
            auto inner = std::make_unique<fleet::ServerConnector>(pool.at(0), *hub, instance.address);
            auto counted = std::make_unique<CountedConnector>(std::move(inner), [this] {
                const std::lock_guard lock(mutex);
                ++starts;
                changed.notify_all();
            });
            phone = std::make_unique<fleet::Phone>(pool.at(0), 0, instance, std::move(counted));
            phone->watch(*this);
        });
    }
    ~ServerConnectorTest() override {
        pool.run_on(0, [&] {
            phone->unwatch(*this);
            phone.reset();
            hub.reset();
        });
    }
    void on_state(const fleet::Phone& p) override {
        const std::lock_guard lock(mutex);
        seen.emplace_back(to_string(p.state().condition));
    }
    // What was seen by the time the phone has been tried that often.
    std::vector<std::string> seen_after(int attempts) {
        std::unique_lock lock(mutex);
        changed.wait(lock, [&] { return starts >= attempts; });
        return seen;
    }

    std::mutex mutex;
    std::condition_variable changed;
    int starts = 0;
    std::vector<std::string> seen;
    LoopPool pool{1};
    std::unique_ptr<fleet::ServerHub> hub;
    std::unique_ptr<fleet::Phone> phone;
};

FakeServer::Script serves(std::string list) {
    return [list = std::move(list)](FakeConnection& c) {
        const auto request = c.request();
        if (request == "host:devices-l") c.send_body(list);
        if (request == "host:track-devices" && c.send("OKAY0000")) c.wait_closed();
    };
}

TEST_F(ServerConnectorTest, AnUnauthorizedPhoneStaysSoHoweverOftenItIsTried) {
    FakeServer server(serves("S1 unauthorized usb:1-4 transport_id:3\n"));
    make(server.port());
    EXPECT_THAT(seen_after(4), ::testing::ElementsAre("unauthorized"));
}

TEST_F(ServerConnectorTest, AServerThatIsDownStaysSoHoweverOftenItIsTried) {
    make(FakeServer(serves("")).port());
    EXPECT_THAT(seen_after(4), ::testing::ElementsAre("server down"));
}

TEST_F(ServerConnectorTest, APhoneThatTakesNoCommandsIsThere) {
    FakeServer server(serves("S1 sideload usb:1-4 transport_id:3\n"));
    make(server.port());
    EXPECT_THAT(seen_after(3), ::testing::ElementsAre("sideload"));
    pool.run_on(0, [&] { EXPECT_EQ(phone->state().status(), fleet::Status::starting); });
}

}  // namespace
}  // namespace drover::test
