// drover through Debian's adb server, on virtual phones.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <future>
#include <mutex>

#include "adb/auth.hpp"
#include "adb/server_carrier.hpp"
#include "adb/server_tracker.hpp"
#include "adb/shell_call.hpp"
#include "adb_server.hpp"
#include "sim/fleet.hpp"
#include "sim/virtual_phone.hpp"

namespace drover::adb {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

enum Phones : std::size_t { kModern, kOld, kNobody, kTrusted, kDrop, kCount };

struct ShellResult {
    std::string out, err;
    Result<int> exit = 0;
};

// One command over a fresh carrier, from the features to the exit code. Lives on its loop.
class OneShell final : public ServerCarrierSink, public ShellSink {
public:
    OneShell(Loop& loop, const ServerEndpoint& endpoint, const ServerDevice& device, std::string command)
        : command_(std::move(command)) {
        ServerOptions options;
        options.endpoint = endpoint;
        carrier_ = std::make_unique<ServerCarrier>(loop, std::move(options), device, *this);
        carrier_->start();
    }
    ShellResult wait() {
        auto future = done_.get_future();
        if (future.wait_for(60s) != std::future_status::ready) throw std::runtime_error("the command did not end");
        return future.get();
    }

private:
    void on_carrier_ready() override {
        if (const auto started = call_.start(*carrier_, command_); !started) end(tl::unexpected(started.error()));
    }
    void on_carrier_lost(const Error& why) override {
        if (!ended_) end(tl::unexpected(why));
    }
    void on_shell_open() override {}
    Ack on_shell_output(OutputStream stream, ByteView bytes) override {
        (stream == OutputStream::out ? result_.out : result_.err) += as_text(bytes);
        return Ack::now;
    }
    void on_shell_end(const Result<int>& exit) override { end(exit); }
    void end(const Result<int>& exit) {
        ended_ = true;
        result_.exit = exit;
        done_.set_value(result_);
    }

    std::string command_;
    ShellResult result_;
    bool ended_ = false;
    std::promise<ShellResult> done_;
    std::unique_ptr<ServerCarrier> carrier_;
    ShellCall call_{*this};
};

class ServerAdb : public testing::Test, public ServerTrackerSink {
protected:
    void SetUp() override {
        ASSERT_EQ(server_.adb({"devices"}).code(), 0);  // it answers when its key is made
        key_ = server_.adb({"pubkey", (server_.home() / ".android/adbkey").string()}).out;
        ASSERT_NE(fingerprint_of(key_), "");
        sim::FleetOptions options;
        options.count = kCount;
        options.profile = [this](std::uint32_t number, const std::string&) { return profile(number - 1); };
        auto fleet = sim::Fleet::start(std::move(options));
        ASSERT_TRUE(fleet) << fleet.error().message;
        fleet_ = std::move(*fleet);
        endpoint_ = resolve(parse_server_address(server_.socket()).value()).value();
        pool_.run_on(0, [this] {
            tracker_ = std::make_unique<ServerTracker>(pool_.at(0), endpoint_, *this);
            tracker_->start();
        });
    }
    // Not in the destructor: the loop still calls this object as its sink.
    void TearDown() override {
        pool_.run_on(0, [this] { tracker_.reset(); });
    }

    std::shared_ptr<const sim::Profile> profile(std::size_t phone) const {
        auto p = phone == kOld ? sim::old_profile() : sim::modern_profile();
        if (phone == kNobody) p.auth = sim::AuthMode::nobody;
        if (phone == kTrusted) {
            p.auth = sim::AuthMode::trusted;
            p.trusted_keys = {key_};
        }
        if (phone == kOld) p.crlf = true;
        if (phone == kDrop) p.set_fault(sim::FaultKind::drop);
        return std::make_shared<const sim::Profile>(std::move(p));
    }

    void connect(std::size_t phone) { server_.adb({"connect", fleet_->address(phone)}); }

    void on_server_devices(const std::vector<ServerDevice>& devices) override {
        const std::lock_guard lock(mutex_);
        devices_ = devices;
        down_.reset();
        changed_.notify_all();
    }
    void on_server_down(const Error& why) override {
        const std::lock_guard lock(mutex_);
        devices_.clear();
        down_ = why;
        changed_.notify_all();
    }
    template <class Condition>
    bool wait_until(Condition condition) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, 60s, condition);
    }
    ServerDevice wait_for(std::size_t phone, AdbState state) {
        ServerDevice found;
        const bool seen = wait_until([&] {
            for (const auto& d : devices_) {
                if (d.serial == fleet_->address(phone) && d.state == state) found = d;
            }
            return found.transport_id != 0;
        });
        EXPECT_TRUE(seen) << "never listed as " << to_string(state);
        return found;
    }
    ShellResult shell(const ServerDevice& device, const std::string& command) {
        std::unique_ptr<OneShell> one;
        pool_.run_on(0, [&] { one = std::make_unique<OneShell>(pool_.at(0), endpoint_, device, command); });
        auto result = one->wait();
        pool_.run_on(0, [&] { one.reset(); });
        return result;
    }
    ServerDevice connected(std::size_t phone) {
        connect(phone);
        return wait_for(phone, AdbState::device);
    }

    test::AdbServer server_;
    std::string key_;  // its public half
    std::unique_ptr<sim::Fleet> fleet_;
    ServerEndpoint endpoint_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<ServerDevice> devices_;
    std::optional<Error> down_;
    LoopPool pool_{1};
    std::unique_ptr<ServerTracker> tracker_;
};

TEST_F(ServerAdb, ListsAndTracks) {
    EXPECT_TRUE(wait_until([&] { return !down_; }));
    const auto device = connected(kModern);
    EXPECT_EQ(device.usb_path, "");
    EXPECT_NE(device.model, "");
    EXPECT_NE(device.product, "");
    connected(kTrusted);  // the server's own key opens it
    EXPECT_EQ(server_.adb({"disconnect", fleet_->address(kModern)}).code(), 0);
    EXPECT_TRUE(wait_until([&] { return devices_.size() == 1; }));
}

TEST_F(ServerAdb, ShellWithExitCodeAndStderrApart) {
    const auto device = connected(kModern);
    auto result = shell(device, "echo out; echo err >&2; exit 3");
    ASSERT_TRUE(result.exit) << result.exit.error().message;
    EXPECT_EQ(*result.exit, 3);
    EXPECT_EQ(result.out, "out\n");
    EXPECT_EQ(result.err, "err\n");
    EXPECT_EQ(shell(device, "true").exit.value(), 0);
    EXPECT_EQ(shell(device, "kill -9 $$").exit.value(), 137);
    // The stock client says the same.
    const auto adb = server_.adb({"-s", device.serial, "shell", "echo out; echo err >&2; exit 3"});
    EXPECT_EQ(adb.code(), 3);
    EXPECT_EQ(adb.out, "out\n");
    EXPECT_EQ(adb.err, "err\n");
}

TEST_F(ServerAdb, LongOutputComesWhole) {
    const auto result = shell(connected(kModern), "head -c 3000000 /dev/zero");
    ASSERT_TRUE(result.exit) << result.exit.error().message;
    EXPECT_EQ(*result.exit, 0) << result.err;
    EXPECT_EQ(result.out.size(), 3'000'000U);
}

TEST_F(ServerAdb, AnOldPhone) {
    const auto device = connected(kOld);
    auto result = shell(device, "echo out; echo err >&2; exit 3 # comment");
    ASSERT_TRUE(result.exit) << result.exit.error().message;
    EXPECT_EQ(*result.exit, 3);
    EXPECT_EQ(result.out, "out\r\nerr\r\n");
    EXPECT_EQ(result.err, "");
    // One that would abort this server: see kServiceBytesMax. It must be refused here, and the server live on.
    result = shell(device, std::string(6000, '#'));
    ASSERT_FALSE(result.exit);
    EXPECT_EQ(result.exit.error().code, Code::command_too_long);
    EXPECT_EQ(shell(device, "exit 4").exit.value(), 4);
}

TEST_F(ServerAdb, Unauthorized) {
    connect(kNobody);
    const auto device = wait_for(kNobody, AdbState::unauthorized);
    const auto result = shell(device, "true");
    ASSERT_FALSE(result.exit);
    EXPECT_EQ(result.exit.error().code, Code::unauthorized);
    EXPECT_THAT(result.exit.error().message, HasSubstr("device unauthorized"));
}

TEST_F(ServerAdb, APhoneThatWentAway) {
    const auto device = connected(kModern);
    fleet_->with_phone(kModern, [](sim::VirtualPhone& phone) { phone.restart(true); });
    wait_for(kModern, AdbState::offline);
    const auto result = shell(device, "true");
    ASSERT_FALSE(result.exit);
    EXPECT_EQ(result.exit.error().code, Code::not_ready);
    EXPECT_EQ(server_.adb({"disconnect", device.serial}).code(), 0);
    // adb answers before its server has let the phone go.
    EXPECT_TRUE(wait_until([&] {
        return std::none_of(devices_.begin(), devices_.end(), [&](const auto& d) { return d.serial == device.serial; });
    }));
    const auto gone = shell(device, "true");
    ASSERT_FALSE(gone.exit);
    EXPECT_EQ(gone.exit.error().code, Code::phone_not_found);
}

TEST_F(ServerAdb, TheLinkDropsInTheMiddle) {
    const auto device = connected(kDrop);
    const auto result = shell(device, "echo begin; sleep 100");
    ASSERT_FALSE(result.exit);
    EXPECT_EQ(result.exit.error().code, Code::link_lost) << result.exit.error().message;
}

TEST_F(ServerAdb, TheServerEnds) {
    connected(kModern);
    server_.process().signal(SIGKILL);
    EXPECT_TRUE(wait_until([&] { return down_.has_value(); }));
    EXPECT_EQ(down_->code, Code::server_unreachable);
}

}  // namespace
}  // namespace drover::adb
