// How a phone on USB gets its link: permissions that come late, interfaces that are taken, plugs that are pulled.
#include "fleet/usb_connector.hpp"

#include <gmock/gmock.h>

#include <future>

#include "support/fake_adbd.hpp"
#include "support/memory_usb.hpp"

namespace drover::test {
namespace {

using fleet::PhoneEvent;
using ::testing::ElementsAre;

struct UsbSink final : fleet::ConnectorSink {
    std::vector<std::string> events;
    std::promise<adb::Carrier*> online;
    std::promise<std::pair<Error, bool>> down;

    void on_phase(Phase, PhoneEvent event, std::string_view) override { events.emplace_back(to_string(event)); }
    void on_online(adb::Carrier& carrier) override { online.set_value(&carrier); }
    void on_unauthorized(const Error&) override {}
    void on_down(const Error& why, PhoneEvent event, bool hopeless) override {
        events.emplace_back(to_string(event));
        down.set_value({why, hopeless});
    }
};

class UsbConnectorTest : public ::testing::Test {
protected:
    static constexpr const char* kAddress = "usb:1-4.2";

    UsbConnectorTest() {
        fleet::LinkConnectorOptions options;
        options.link.keys = std::make_shared<adb::KeyRing>();
        options.link.delayed_ack = false;
        pool.run_on(0, [&] {
            connector = std::make_unique<fleet::UsbConnector>(pool.at(0), "p1", bus, UsbPath{"1-4.2"}, options);
        });
    }
    ~UsbConnectorTest() override {
        pool.run_on(0, [&] { connector.reset(); });
        EXPECT_FALSE(port->open);
    }
    void start() {
        pool.run_on(0, [&] { connector->start(sink); });
    }
    std::pair<Error, bool> down() { return sink.down.get_future().get(); }
    void go_online() {
        bus.plugged[kAddress] = port;
        start();
        pool.run_on(0, [] {});  // the opening is posted by the handler that may only be ending now
        pool.run_on(0, [&] {
            ASSERT_TRUE(port->open);
            const auto p =
                packet(adb::Command::cnxn, adb::kVersionNoChecksum, adb::kMaxPayloadBytes, kModernBanner, true);
            port->say(ByteView(p).first(24));
            port->say(ByteView(p).subspan(24));
        });
        EXPECT_TRUE(sink.online.get_future().get());
    }

    LoopPool pool{1};
    MemoryUsbBus bus;
    std::shared_ptr<MemoryUsbPort> port = std::make_shared<MemoryUsbPort>();
    UsbSink sink;
    std::unique_ptr<fleet::UsbConnector> connector;
};

TEST_F(UsbConnectorTest, ClaimsAndShakesHands) {
    go_online();
    EXPECT_THAT(sink.events, ElementsAre("no_connection", "transport_open"));
    EXPECT_THAT(bus.opened, ElementsAre(kAddress));
    const auto sent = parse_packets(port->sent());
    ASSERT_EQ(sent.size(), 1u);
    EXPECT_EQ(sent[0].name, "CNXN");
}

TEST_F(UsbConnectorTest, PermissionThatComesLate) {
    bus.refusals[kAddress] = std::deque<Error>(3, Error(Code::no_permission, "udev is slow"));
    bus.plugged[kAddress] = port;
    const auto before = Clock::now();
    start();
    std::promise<void> opened;
    std::function<void()> look = [&] {
        if (port->open) return opened.set_value();
        pool.at(0).post(look);
    };
    pool.run_on(0, [&] { look(); });
    opened.get_future().wait();
    EXPECT_EQ(bus.opened.size(), 4u);
    EXPECT_GE(Clock::now() - before, 3 * fleet::UsbConnector::kPermissionWait);
}

TEST_F(UsbConnectorTest, PermissionThatNeverComes) {
    bus.refusals[kAddress] = std::deque<Error>(9, Error(Code::no_permission, "no permission"));
    start();
    const auto [why, hopeless] = down();
    EXPECT_EQ(why.code, Code::no_permission);
    EXPECT_TRUE(hopeless);
    EXPECT_EQ(bus.opened.size(), 4u);
    EXPECT_EQ(sink.events.back(), "no_permissions");
}

TEST_F(UsbConnectorTest, AnInterfaceThatIsTakenIsHopeless) {
    bus.refusals[kAddress] = {Error(Code::interface_busy, "an adb server (pid 7) holds it")};
    start();
    const auto [why, hopeless] = down();
    EXPECT_EQ(why.code, Code::interface_busy);
    EXPECT_TRUE(hopeless);
}

TEST_F(UsbConnectorTest, AnAbsentPhoneMayStillBePluggedIn) {
    start();
    const auto [why, hopeless] = down();
    EXPECT_EQ(why.code, Code::phone_not_found);
    EXPECT_FALSE(hopeless);
    EXPECT_EQ(sink.events.back(), "detached");
}

TEST_F(UsbConnectorTest, ThePlugIsPulled) {
    go_online();
    pool.run_on(0, [&] { port->unplug(); });
    const auto [why, hopeless] = down();
    EXPECT_EQ(why.code, Code::link_lost);
    EXPECT_FALSE(hopeless);
    EXPECT_EQ(sink.events.back(), "link_lost");
    EXPECT_FALSE(port->open) << "the interface is still claimed";
}

// However far it has come: one end, and the interface is given back.
TEST_F(UsbConnectorTest, ThePlugIsPulledAnywhereInTheHandshake) {
    const auto p = packet(adb::Command::cnxn, adb::kVersionNoChecksum, adb::kMaxPayloadBytes, kModernBanner, true);
    for (const std::size_t said : {std::size_t{0}, std::size_t{1}, std::size_t{23}, std::size_t{24}, p.size() - 1}) {
        sink.down = {};
        port = std::make_shared<MemoryUsbPort>();
        bus.plugged[kAddress] = port;
        start();
        pool.run_on(0, [] {});
        pool.run_on(0, [&] {
            ASSERT_TRUE(port->open);
            if (said > 0) port->say(ByteView(p).first(std::min<std::size_t>(said, 24)));
            if (said > 24) port->say(ByteView(p).subspan(24, said - 24));
            port->unplug();
        });
        const auto [why, hopeless] = down();
        EXPECT_EQ(why.code, Code::link_lost) << said;
        EXPECT_FALSE(hopeless) << said;
        EXPECT_FALSE(port->open) << said;
    }
}

TEST_F(UsbConnectorTest, StoppedWhileOpening) {
    bus.plugged[kAddress] = port;
    pool.run_on(0, [&] {
        connector->start(sink);
        connector->stop();
    });
    pool.run_on(0, [] {});
    pool.run_on(0, [&] { EXPECT_FALSE(port->open); });
    EXPECT_THAT(sink.events, ElementsAre("no_connection"));
}

TEST_F(UsbConnectorTest, JunkInsteadOfAPacketEndsThisLinkOnly) {
    go_online();
    pool.run_on(0, [&] { port->say(std::vector<std::uint8_t>(24, 0x5a)); });
    const auto [why, hopeless] = down();
    EXPECT_EQ(why.code, Code::protocol_error);
    EXPECT_FALSE(hopeless);
}

// A phone that comes back, or comes back as another number, is worth an attempt at once.
TEST(UsbConnectorHint, ComesWithEachNewPlug) {
    MemoryUsbBus bus;
    fleet::UsbHub hub(bus);
    LoopPool pool{1};
    fleet::LinkConnectorOptions options;
    options.link.keys = std::make_shared<adb::KeyRing>();
    UsbSink sink;
    int hints = 0;
    std::unique_ptr<fleet::UsbConnector> connector;
    pool.run_on(0, [&] {
        connector = std::make_unique<fleet::UsbConnector>(pool.at(0), "p1", bus, Serial{"S1"}, options, &hub);
        connector->on_hint([&] { ++hints; });
        connector->start(sink);
    });
    const auto tell = [&](const std::string& serial, const std::string& node) {
        adb::UsbPhone phone;
        phone.path = "1-4";
        phone.serial = serial;
        phone.node = node;
        bus.changed(std::make_shared<const std::vector<adb::UsbPhone>>(1, phone));
        int now = 0;
        pool.run_on(0, [&] { now = hints; });
        return now;
    };
    EXPECT_EQ(tell("other", "/dev/bus/usb/001/004"), 0);
    EXPECT_EQ(tell("S1", "/dev/bus/usb/001/005"), 1);
    EXPECT_EQ(tell("S1", "/dev/bus/usb/001/005"), 1);
    EXPECT_EQ(tell("S1", "/dev/bus/usb/001/006"), 2);
    pool.run_on(0, [&] {
        EXPECT_EQ(connector->usb_path(), "1-4");
        connector.reset();
    });
}

}  // namespace
}  // namespace drover::test
