#include "adb/server_tracker.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>

#include "unit/adb/server_fake.hpp"

namespace drover::adb {
namespace {

using namespace std::chrono_literals;
using test::FakeConnection;
using test::FakeServer;

// A server whose list can be changed; changing it rings the bell of every tracker.
class ListServer {
public:
    explicit ListServer(std::string list, std::uint16_t port = 0)
        : list_(std::move(list)), server_([this](FakeConnection& c) { serve(c); }, port) {}
    ~ListServer() {
        const std::lock_guard lock(mutex_);
        ended_ = true;
        changed_.notify_all();
    }
    void set(std::string list) {
        const std::lock_guard lock(mutex_);
        list_ = std::move(list);
        ++version_;
        changed_.notify_all();
    }
    std::uint16_t port() const { return server_.port(); }
    ServerEndpoint endpoint() const { return server_.endpoint(); }

private:
    void serve(FakeConnection& c) {
        const auto request = c.request();
        std::unique_lock lock(mutex_);
        if (request == "host:devices-l") {
            const auto list = list_;
            lock.unlock();
            c.send_body(list);
        } else if (request == "host:track-devices") {
            c.send("OKAY0000");
            for (int seen = version_; !ended_; seen = version_) {
                changed_.wait(lock, [&] { return ended_ || version_ != seen; });
                if (!ended_ && !c.send("0000")) return;
            }
        }
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    std::string list_;
    int version_ = 0;
    bool ended_ = false;
    FakeServer server_;
};

class Tracker : public testing::Test, public ServerTrackerSink {
protected:
    // Not in the destructor: the loop still calls this object as its sink.
    void TearDown() override {
        pool_.run_on(0, [this] { tracker_.reset(); });
        pool_.stop();
    }
    void track(const ServerEndpoint& endpoint, Duration reply = 20s) {
        pool_.run_on(0, [&] {
            tracker_ = std::make_unique<ServerTracker>(pool_.at(0), endpoint, *this, reply);
            tracker_->start();
        });
    }
    // The next event: "down CODE" or the serials.
    std::string next() {
        std::unique_lock lock(mutex_);
        if (!event_.wait_for(lock, 20s, [this] { return !events_.empty(); })) return "nothing happened";
        auto text = std::move(events_.front());
        events_.pop_front();
        return text;
    }
    void add(std::string text) {
        const std::lock_guard lock(mutex_);
        events_.push_back(std::move(text));
        event_.notify_all();
    }
    void on_server_devices(const std::vector<ServerDevice>& devices) override {
        if (devices.size() > 100) return add(fmt::format("{} devices", devices.size()));
        std::string text = "list";
        for (const auto& d : devices) text += " " + d.serial + "=" + std::string(to_string(d.state));
        add(text);
    }
    void on_server_down(const Error& why) override { add("down " + std::string(info(why.code).name)); }

    std::unique_ptr<ServerTracker> tracker_;
    std::mutex mutex_;
    std::condition_variable event_;
    std::list<std::string> events_;
    LoopPool pool_{1};
};

constexpr const char* kA = "a                      device transport_id:1\n";
constexpr const char* kB = "b                      offline transport_id:2\n";

TEST_F(Tracker, TellsTheListAndItsChanges) {
    ListServer server("");
    track(server.endpoint());
    EXPECT_EQ(next(), "list");
    server.set(kA);
    EXPECT_EQ(next(), "list a=device");
    server.set(kA);  // a ring without a change is not passed on
    server.set(std::string(kA) + kB);
    EXPECT_EQ(next(), "list a=device b=offline");
    server.set("");
    EXPECT_EQ(next(), "list");
}

TEST_F(Tracker, AListLongerThanFourDigitsCanSay) {
    std::string list;
    for (int i = 1; i <= 2000; ++i)
        list += fmt::format("{:<22} device product:p model:m device:d transport_id:{}\n", i, i);
    ASSERT_GT(list.size(), 65535U);
    ListServer server(list);
    track(server.endpoint());
    EXPECT_EQ(next(), "2000 devices");
}

TEST_F(Tracker, SurvivesTheServersRestart) {
    auto server = std::make_unique<ListServer>(kA);
    const auto port = server->port();
    track(server->endpoint());
    EXPECT_EQ(next(), "list a=device");
    server.reset();
    EXPECT_EQ(next(), "down DROVER.4001");
    server = std::make_unique<ListServer>(kA, port);
    EXPECT_EQ(next(), "list a=device");  // told again, though it is the same: it was unknown in between
    server.reset();
    EXPECT_EQ(next(), "down DROVER.4001");
}

TEST_F(Tracker, NoServerIsToldOnce) {
    auto server = std::make_unique<ListServer>(kA);
    const auto endpoint = server->endpoint();
    const auto port = server->port();
    server.reset();
    track(endpoint);
    EXPECT_EQ(next(), "down DROVER.4001");
    server = std::make_unique<ListServer>(kB, port);
    EXPECT_EQ(next(), "list b=offline");  // not "down" again
}

TEST_F(Tracker, AFrozenServerIsDown) {
    const FakeServer server([](FakeConnection& c) { c.wait_closed(); });
    track(server.endpoint(), 30ms);
    EXPECT_EQ(next(), "down DROVER.4001");
}

TEST_F(Tracker, AServerThatAnswersOnlyTheBell) {
    const FakeServer server([](FakeConnection& c) {
        if (c.request() == "host:track-devices") c.send("OKAY0000");
        c.wait_closed();
    });
    track(server.endpoint(), 30ms);
    EXPECT_EQ(next(), "down DROVER.4001");
}

TEST_F(Tracker, SomethingElseListensThere) {
    const FakeServer server([](FakeConnection& c) {
        c.send("SSH-2.0-OpenSSH\r\n");
        c.wait_closed();
    });
    track(server.endpoint());
    EXPECT_EQ(next(), "down DROVER.4002");
}

TEST_F(Tracker, StopIsSilentAndStartTellsAgain) {
    ListServer server(kA);
    track(server.endpoint());
    EXPECT_EQ(next(), "list a=device");
    pool_.run_on(0, [&] { tracker_->stop(); });
    server.set(kB);
    pool_.run_on(0, [&] { tracker_->start(); });
    EXPECT_EQ(next(), "list b=offline");
}

}  // namespace
}  // namespace drover::adb
