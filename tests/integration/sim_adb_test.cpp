// Debian's adb as the judge of virtual phones: what it shows of them is what it shows of real ones.
#include <gmock/gmock.h>

#include "adb_server.hpp"
#include "sim/fleet.hpp"
#include "sim/profile.hpp"

namespace drover::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class SimAdbTest : public ::testing::Test {
protected:
    void start(sim::Profile profile = sim::modern_profile(), std::size_t count = 1) {
        sim::FleetOptions options;
        options.count = count;
        options.profile = [shared = std::make_shared<const sim::Profile>(std::move(profile))](
                              std::uint32_t, const std::string&) { return shared; };
        auto started = sim::Fleet::start(std::move(options));
        ASSERT_TRUE(started) << started.error().message;
        fleet = std::move(*started);
        if (!fleet->refusal().empty()) GTEST_SKIP() << fleet->refusal();
    }
    Finished connect(std::size_t i = 0) { return server.adb({"connect", fleet->address(i)}); }
    Finished shell(const std::string& command, std::size_t i = 0) {
        return server.adb({"-s", fleet->address(i), "shell", command});
    }

    AdbServer server;
    std::unique_ptr<sim::Fleet> fleet;
};

TEST_F(SimAdbTest, ConnectAndList) {
    start();
    EXPECT_THAT(connect().out, HasSubstr("connected to " + fleet->address(0)));
    EXPECT_THAT(server.adb({"devices", "-l"}).out,
                HasSubstr("device product:drover_phone model:Virtual_Phone device:vphone"));
    EXPECT_EQ(server.adb({"-s", fleet->address(0), "get-state"}).out, "device\n");
}

TEST_F(SimAdbTest, OutputExitCodeAndStderrApart) {
    start();
    connect();
    const auto ran = shell("echo out; echo err >&2; exit 7");
    EXPECT_EQ(ran.out, "out\n");
    EXPECT_EQ(ran.err, "err\n");
    EXPECT_EQ(ran.code(), 7);
    EXPECT_EQ(shell("true").code(), 0);
    EXPECT_EQ(shell("kill -9 $$").code(), 137);
}

TEST_F(SimAdbTest, ExecOutIsRaw) {
    start();
    connect();
    EXPECT_EQ(server.adb({"-s", fleet->address(0), "exec-out", "printf 'a\\nb\\n'"}).out, "a\nb\n");
}

TEST_F(SimAdbTest, StdinReachesTheCommand) {
    start();
    connect();
    ProcessOptions options;
    options.argv = {"adb", "-s", fleet->address(0), "shell", "wc -c | sed 's/ //g'"};
    options.env = {{"HOME", server.home().string()}, {"ADB_SERVER_SOCKET", server.socket()}};
    options.input = std::string(200'000, 'x');
    EXPECT_EQ(run(std::move(options)).out, "200000\n");
}

TEST_F(SimAdbTest, ExecInReachesTheCommandWhole) {
    start();
    connect();
    ProcessOptions options;
    options.argv = {"adb", "-s", fleet->address(0), "exec-in",
                    "cat >/data/local/tmp/part && mv /data/local/tmp/part /data/local/tmp/x"};
    options.env = {{"HOME", server.home().string()}, {"ADB_SERVER_SOCKET", server.socket()}};
    options.input = std::string(200'000, 'x');
    EXPECT_EQ(run(std::move(options)).code(), 0);
    // It does not wait for the command.
    const auto size =
        shell("for i in $(seq 500); do [ -e /data/local/tmp/x ] && break; sleep 0.01; done; wc -c </data/local/tmp/x");
    EXPECT_THAT(size.out, HasSubstr("200000")) << size.err;
}

TEST_F(SimAdbTest, MuchOutputIsWhole) {
    start();
    connect();
    const auto ran = shell("sim-output 20000000");
    EXPECT_EQ(ran.out.size(), 20'000'000u);
    EXPECT_EQ(ran.code(), 0);
}

TEST_F(SimAdbTest, ManyPhonesOnOneServer) {
    start(sim::modern_profile(), 10);
    for (std::size_t i = 0; i < 10; ++i) connect(i);
    for (std::size_t i = 0; i < 10; ++i) EXPECT_EQ(shell("getprop ro.serialno", i).out, fleet->id(i) + "\n");
}

TEST_F(SimAdbTest, ATrustedKeyIsLetIn) {
    sim::Profile p = sim::modern_profile();
    p.auth = sim::AuthMode::trusted;
    server.adb({"devices"});  // once it answers it has its key
    p.trusted_keys = {read_file(server.home() / ".android" / "adbkey.pub")};
    start(std::move(p));
    EXPECT_THAT(connect().out, HasSubstr("connected to "));
    EXPECT_EQ(shell("echo in").out, "in\n");
}

TEST_F(SimAdbTest, OtherKeysAreUnauthorized) {
    sim::Profile p = sim::modern_profile();
    p.auth = sim::AuthMode::nobody;
    start(std::move(p));
    EXPECT_THAT(connect().out, HasSubstr("failed to authenticate to " + fleet->address(0)));
    EXPECT_THAT(server.adb({"devices"}).out, HasSubstr(fleet->address(0) + "\tunauthorized"));
    const auto ran = shell("true");
    EXPECT_EQ(ran.code(), 1);
    EXPECT_THAT(ran.err, HasSubstr("device unauthorized."));
}

TEST_F(SimAdbTest, AnOldPhoneHasNoExitCodesNoStderrAndCrLf) {
    start(sim::old_profile());
    EXPECT_THAT(connect().out, HasSubstr("connected to "));
    EXPECT_EQ(server.adb({"-s", fleet->address(0), "features"}).out, "");
    const auto ran = shell("echo out; echo err >&2; exit 7");
    EXPECT_EQ(ran.out, "out\r\nerr\r\n");
    EXPECT_EQ(ran.code(), 0);
}

TEST_F(SimAdbTest, RebootTakesThePhoneAway) {
    start();
    connect();
    server.adb({"-s", fleet->address(0), "reboot"});
    const auto state = server.adb({"-s", fleet->address(0), "get-state"});
    EXPECT_THAT(state.out + state.err, Not(HasSubstr("device\n")));
}

}  // namespace
}  // namespace drover::test
