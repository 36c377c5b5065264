// Phones on USB that nobody wrote down: found, told apart, left to an adb server, and seen to come and go by `drover serve`.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <csignal>

#include "unit/adb/server_fake.hpp"
#include "usb/usb_testbed.hpp"

namespace drover::test {
namespace {

using adb::test::FakeConnection;
using adb::test::FakeServer;
using ::testing::HasSubstr;
using ::testing::Not;

UsbPlug phone_at(std::string path, int number, std::string serial, std::size_t phone = 0) {
    UsbPlug plug;
    plug.path = std::move(path);
    plug.number = number;
    plug.serial = std::move(serial);
    plug.phone = phone;
    return plug;
}

std::string shell_packet(char id, std::string_view data) {
    return std::string{id, static_cast<char>(data.size()), 0, 0, 0} + std::string(data);
}

// An adb server that has the phone at usb:1-4.2.
void serve_phone(FakeConnection& c) {
    const auto request = c.request();
    if (request == "host:devices-l") {
        c.send_body("R58M123 device usb:1-4.2 product:p model:m device:d transport_id:7\n");
    } else if (request == "host:track-devices") {
        if (c.send("OKAY0000")) c.wait_closed();
    } else if (request == "host:host-features" || request == "host-transport-id:7:features") {
        c.send_body("shell_v2,cmd");
    } else if (request == "host-transport-id:7:get-state") {
        c.send_body("device");
    } else if (request == "host:transport-id:7" && c.send("OKAY") && c.request()) {
        c.send("OKAY" + shell_packet(1, "through the server\n") + shell_packet(3, std::string(1, '\0')));
    }
}

class Found : public ::testing::Test {
protected:
    // With the adb server, if any, at that port.
    ProcessOptions command(std::vector<std::string> args) const {
        auto options = bed.command(std::move(args));
        options.env["ADB_SERVER_SOCKET"] = fmt::format("tcp:127.0.0.1:{}", server_port);
        options.env["HOME"] = home.path().string();
        options.env["XDG_RUNTIME_DIR"] = home.path().string();
        options.env["XDG_STATE_HOME"] = (home / "state").string();
        return options;
    }
    std::unique_ptr<Process> serve(const std::string& inventory = "", const std::string& more = "") const {
        auto text = "version: 1\napi: {listen: ['127.0.0.1:0']}\nlog: {level: debug}\n" + more;
        if (!inventory.empty()) text += "inventory: " + home.write("inventory.yaml", inventory).string() + "\n";
        const auto config = home.write("drover.yaml", text);
        auto process = std::make_unique<Process>(command({"serve", "--config", config.string()}));
        EXPECT_TRUE(process->wait_for_line("ready:")) << process->err();
        return process;
    }

    TempDir home;
    UsbTestbed bed{3};
    std::uint16_t server_port = FakeServer(serve_phone).port();  // nobody is there any more
};

TEST_F(Found, WithoutAnythingWrittenDown) {
    bed.plug(phone_at("1-1", 2, "S1", 0));
    bed.plug(phone_at("1-2", 3, "0123456789ABCDEF", 1));
    bed.plug(phone_at("1-3", 4, "0123456789ABCDEF", 2));
    const auto r = run(command({"exec", "--json", "--timeout", "40s", "--", "getprop ro.serialno"}));
    EXPECT_EQ(r.code(), 0) << r.out << r.err;
    for (const char* id : {"S1", "usb-1-2", "usb-1-3"})
        EXPECT_THAT(r.out, HasSubstr(fmt::format(R"("instance_id":"{}")", id)));
    const auto devices = run(command({"devices"}));
    EXPECT_THAT(devices.out, ::testing::ContainsRegex("usb-1-2 +usb +usb:1-2 +device"));
}

TEST_F(Found, NothingAtAllIsAnErrorThatSaysSo) {
    const auto r = run(command({"exec", "--", "true"}));
    EXPECT_EQ(r.code(), 20);
    EXPECT_THAT(r.err, HasSubstr("inventory"));
}

TEST_F(Found, ARunningAdbServerKeepsItsPhone) {
    const FakeServer server(serve_phone, server_port);
    auto& phone = bed.plug(phone_at("1-4.2", 5, "R58M123"));
    const auto r = run(command({"exec", "--timeout", "40s", "--", "id"}));
    EXPECT_THAT(r.out, HasSubstr("through the server")) << r.err;
    EXPECT_EQ(phone.node().seen().claims, 0u) << "it was taken away from the server";
}

TEST_F(Found, ViaUsbIsOpenedWhereAnAdbServerRunsToo) {
    const FakeServer server(serve_phone, server_port);
    auto& phone = bed.plug(phone_at("1-4.2", 5, "R58M123"));
    const auto inventory = home.write("usb.yaml", "version: 1\ninstances: [{id: p, via: usb, address: 'usb:1-4.2'}]\n");
    const auto r = run(command({"exec", "--inventory", inventory.string(), "--timeout", "40s", "--", "echo directly"}));
    EXPECT_THAT(r.out, HasSubstr("directly")) << r.err;
    EXPECT_EQ(phone.node().seen().claims, 1u);
}

TEST_F(Found, ABusyInterfaceIsReachedThroughTheServerThatComesUp) {
    auto plug = phone_at("1-4.2", 5, "R58M123");
    plug.options.node.claimed_elsewhere = true;
    bed.plug(plug);
    const auto inventory =
        home.write("auto.yaml", "version: 1\ninstances: [{id: p, via: auto, address: 'usb:1-4.2'}]\n");
    Process drover(command({"exec", "-v", "--inventory", inventory.string(), "--timeout", "55s", "--", "id"}));
    ASSERT_TRUE(drover.wait_for_error_line("phones match")) << drover.err();
    const FakeServer server(serve_phone, server_port);
    EXPECT_TRUE(drover.wait_for_line("through the server")) << drover.err();
    EXPECT_EQ(drover.wait()->code, 0);
}

TEST_F(Found, OnePhoneByTcpAndOnUsbGetsACommandOnce) {
    bed.plug(phone_at("1-1", 2, "S1", 0));
    bed.plug(phone_at("1-2", 3, "S2", 1));
    const auto inventory =
        home.write("both.yaml", fmt::format("version: 1\ninstances: [{{id: rack-1, via: tcp, address: '{}'}}]\n"
                                            "discover: [usb]\n",
                                            bed.phone_address(0)));
    const auto r =
        run(command({"exec", "--inventory", inventory.string(), "--json", "--timeout", "40s", "--", "echo ran"}));
    EXPECT_EQ(r.code(), 0) << r.out << r.err;
    EXPECT_THAT(r.out, HasSubstr(R"("instance_id":"rack-1")"));
    EXPECT_THAT(r.out, HasSubstr(R"("instance_id":"S2")"));
    EXPECT_THAT(r.out, Not(HasSubstr(R"("instance_id":"S1")")));
}

TEST_F(Found, ServeSeesPhonesComeAndGo) {
    const auto serve_process = serve();
    bed.plug(phone_at("1-1", 2, "S1", 0));
    ASSERT_TRUE(serve_process->wait_for_error_line("S1: running")) << serve_process->err();
    bed.plug(phone_at("1-2", 3, "S2", 1));
    ASSERT_TRUE(serve_process->wait_for_error_line("S2: running")) << serve_process->err();
    ASSERT_TRUE(serve_process->wait_for_error_line("changed: 2 now"));
    bed.unplug("1-1");
    ASSERT_TRUE(serve_process->wait_for_error_line("changed: 1 now")) << serve_process->err();
    serve_process->signal(SIGTERM);
    EXPECT_EQ(serve_process->wait()->code, 0);
    EXPECT_THAT(serve_process->err(), Not(HasSubstr("S2: offline"))) << "the other phone was touched";
}

TEST_F(Found, ASecondPhoneOfOneSerialNumberLeavesTheFirstOneAlone) {
    const auto serve_process = serve();
    bed.plug(phone_at("1-2", 3, "0123456789ABCDEF", 1));
    ASSERT_TRUE(serve_process->wait_for_error_line("0123456789ABCDEF: running")) << serve_process->err();
    Process exec(command({"exec", "-v", "--timeout", "40s", "--", "sleep 2; echo to the end"}));
    ASSERT_TRUE(exec.wait_for_error_line("match")) << exec.err();
    bed.plug(phone_at("1-1", 4, "0123456789ABCDEF", 2));
    ASSERT_TRUE(serve_process->wait_for_error_line("usb-1-1: running")) << serve_process->err();
    EXPECT_EQ(exec.wait()->code, 0) << exec.out() << exec.err();
    EXPECT_THAT(exec.out(), HasSubstr("to the end"));
    const auto devices = run(command({"devices"}));
    EXPECT_THAT(devices.out, ::testing::ContainsRegex("0123456789ABCDEF +usb +usb:1-2 +device"));
    EXPECT_THAT(run(command({"exec", "--on", "usb:1-2", "--json", "--", "true"})).out,
                HasSubstr(R"("instance_id":"0123456789ABCDEF")"));
}

TEST_F(Found, WaitTakesPhonesThatComeLater) {
    Process wait(command({"wait", "all", "-v", "--count", "2", "--timeout", "60s"}));
    ASSERT_TRUE(wait.wait_for_error_line("0 phones match")) << wait.err();
    bed.plug(phone_at("1-1", 2, "S1", 0));
    ASSERT_TRUE(wait.wait_for_error_line("1 phones match")) << wait.err();
    EXPECT_EQ(run(command({"wait", "all", "--count", "2", "--timeout", "500ms"})).code(), 22);
    bed.plug(phone_at("1-2", 3, "S2", 1));
    EXPECT_EQ(wait.wait()->code, 0) << wait.err();
}

TEST_F(Found, AWatchShowsPhonesThatComeLater) {
    Process watch(command({"status", "--watch"}));
    bed.plug(phone_at("1-1", 2, "S1", 0));
    ASSERT_TRUE(watch.wait_for_line("S1: 2 running")) << watch.err();
    bed.plug(phone_at("1-2", 3, "S2", 1));
    ASSERT_TRUE(watch.wait_for_line("S2: 2 running")) << watch.err();
    watch.signal(SIGINT);
    EXPECT_EQ(watch.wait()->code, 130);
    const auto out = watch.out();
    EXPECT_EQ(out.find("S1: 2 running"), out.rfind("S1: 2 running")) << "told twice:\n" << out;
}

TEST_F(Found, WaitAndWatchTakePhonesThatComeLaterThroughAServerToo) {
    const auto serve_process = serve();
    Process wait(command({"wait", "all", "-v", "--count", "2", "--timeout", "60s"}));
    ASSERT_TRUE(wait.wait_for_error_line("0 phones match")) << wait.err();
    EXPECT_THAT(wait.err(), HasSubstr("that of the running drover server"));
    Process watch(command({"status", "--watch"}));
    bed.plug(phone_at("1-1", 2, "S1", 0));
    ASSERT_TRUE(wait.wait_for_error_line("1 phones match")) << wait.err();
    ASSERT_TRUE(watch.wait_for_line("S1: 2 running")) << watch.err();
    EXPECT_EQ(run(command({"wait", "S2", "--timeout", "500ms"})).code(), 22) << "it may still come";
    bed.plug(phone_at("1-2", 3, "S2", 1));
    EXPECT_EQ(wait.wait()->code, 0) << wait.err();
    ASSERT_TRUE(watch.wait_for_line("S2: 2 running")) << watch.err();
    watch.signal(SIGINT);
    EXPECT_EQ(watch.wait()->code, 130);
    const auto out = watch.out();
    EXPECT_EQ(out.find("S1: 2 running"), out.rfind("S1: 2 running")) << "told twice:\n" << out;
    serve_process->signal(SIGTERM);
    EXPECT_EQ(serve_process->wait()->code, 0);
}

TEST_F(Found, ServeConnectsAPhoneOfTheInventoryAsSoonAsItIsPluggedIn) {
    const auto serve_process = serve("version: 1\ninstances: [{id: slot-1, via: usb, address: 'usb:1-1'}]\n");
    bed.plug(phone_at("1-1", 2, "S1", 0));
    ASSERT_TRUE(serve_process->wait_for_error_line("slot-1: running")) << serve_process->err();
    serve_process->signal(SIGTERM);
    EXPECT_EQ(serve_process->wait()->code, 0);
}

TEST_F(Found, ServeLooksForPhonesOnceItsInventorySaysSo) {
    const std::string slots = "version: 1\ninstances: [{id: slot-8, via: usb, address: 'usb:1-8'}";
    const auto serve_process = serve(slots + "]\n");
    home.write("inventory.yaml", slots + ", {id: slot-9, via: usb, address: 'usb:1-9'}]\ndiscover: [usb]\n");
    ASSERT_TRUE(serve_process->wait_for_error_line("changed: 2 now")) << serve_process->err();
    bed.plug(phone_at("1-1", 2, "S1", 0));
    ASSERT_TRUE(serve_process->wait_for_error_line("S1: running")) << serve_process->err();
    serve_process->signal(SIGTERM);
    EXPECT_EQ(serve_process->wait()->code, 0);
}

TEST_F(Found, ALadderResetsThePortOfAPhoneThatStaysAway) {
    auto plug = phone_at("1-1", 2, "S1", 0);
    plug.options.node.claimed_elsewhere = true;
    auto& phone = bed.plug(plug);
    const auto serve_process = serve("version: 1\ninstances: [{id: slot-1, via: usb, address: 'usb:1-1'}]\n",
                                     "upkeep: {ladder: [{do: usb-reset, after: 1s}]}\n");
    ASSERT_TRUE(serve_process->wait_for_error_line("slot-1: recovery: usb-reset")) << serve_process->err();
    EXPECT_TRUE(phone.node().wait_until_reset(kWaitMax));
    serve_process->signal(SIGTERM);
    EXPECT_EQ(serve_process->wait()->code, 0);
}

TEST_F(Found, ALostHotplugMessageIsMadeUpFor) {
    const auto serve_process = serve();
    auto plug = phone_at("1-1", 2, "S1", 0);
    plug.silent = true;
    bed.plug(plug);
    ASSERT_TRUE(serve_process->wait_for_error_line("S1: running")) << serve_process->err();
    serve_process->signal(SIGTERM);
    EXPECT_EQ(serve_process->wait()->code, 0);
}

TEST_F(Found, AHubFullOfPhonesComesTogether) {
    const auto serve_process = serve();
    constexpr int kHub = 20;
    for (int i = 0; i < kHub; ++i) bed.plug(phone_at(fmt::format("1-4.{}", i + 1), 2 + i, fmt::format("S{}", i), 0));
    ASSERT_TRUE(serve_process->wait_for_error_line("changed: 20 now")) << serve_process->err();
    for (int i = 0; i < kHub; ++i) bed.unplug(fmt::format("1-4.{}", i + 1));
    ASSERT_TRUE(serve_process->wait_for_error_line("changed: 0 now")) << serve_process->err();
    serve_process->signal(SIGTERM);
    EXPECT_EQ(serve_process->wait()->code, 0);
}

}  // namespace
}  // namespace drover::test
