// Taking phones out of service, on the command line and in a running `drover serve`.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "support/serve.hpp"

namespace drover::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class Disable : public ::testing::Test {
protected:
    static void SetUpTestSuite() { sim_ = std::make_unique<SimProcess>(3); }
    static void TearDownTestSuite() { sim_.reset(); }

    Finished drover(std::vector<std::string> args) const {
        args.insert(args.end(), {"--inventory", sim_->inventory()});
        return home.drover(std::move(args));
    }
    Finished exec(const std::string& on) const {
        return home.drover({"exec", "--inventory", sim_->inventory(), "--on", on, "--json", "--", "echo", "ran"});
    }

    static std::unique_ptr<SimProcess> sim_;
    ServeHome home;
};
std::unique_ptr<SimProcess> Disable::sim_;

TEST_F(Disable, ADisabledPhoneIsLeftOutAndSaysWhyWhenItIsNamed) {
    const auto disabled = drover({"disable", "vphone-0002", "--reason", "swollen battery"});
    EXPECT_EQ(disabled.code(), 0) << disabled.err;
    EXPECT_EQ(disabled.out, "vphone-0002: disabled\n");

    const auto all = exec("all");
    EXPECT_EQ(all.code(), 0) << all.err;
    EXPECT_THAT(all.out, Not(HasSubstr("vphone-0002")));
    EXPECT_THAT(all.err, HasSubstr("1 disabled phone left out"));

    const auto named = exec("vphone-0001, vphone-0002");
    EXPECT_EQ(named.code(), 10);
    EXPECT_THAT(named.out, HasSubstr("DROVER.5004"));
    EXPECT_THAT(named.out, HasSubstr("The phone is disabled: swollen battery"));
    EXPECT_THAT(named.out, HasSubstr(R"("attempts":0)"));

    const auto status = drover({"status", "vphone-0002"});
    EXPECT_THAT(status.out, ::testing::ContainsRegex("vphone-0002 +5 shut down +absent .* swollen battery"))
        << status.err;

    const auto listed = drover({"devices", "state:disabled"});
    EXPECT_THAT(listed.out, ::testing::ContainsRegex("vphone-0002 .*disabled .*swollen battery")) << listed.err;
    EXPECT_THAT(listed.out, Not(HasSubstr("vphone-0001")));

    const auto enabled = drover({"enable", "all"});
    EXPECT_EQ(enabled.out,
              "vphone-0001: was enabled already\nvphone-0002: enabled\nvphone-0003: was enabled already\n");
    EXPECT_THAT(exec("all").out, HasSubstr("vphone-0002"));
}

TEST_F(Disable, ProgramsReadWhatChanged) {
    using boost::json::parse;
    const auto disabled = drover({"disable", "vphone-0002", "--reason", "x", "--json"});
    EXPECT_EQ(parse(disabled.out),
              parse(R"({"schema":1,"phones":[{"instance_id":"vphone-0002","disabled":true,"changed":true}]})"));
    const auto enabled = drover({"enable", "vphone-000[1-2]", "--json"});
    EXPECT_EQ(parse(enabled.out),
              parse(R"({"schema":1,"phones":[{"instance_id":"vphone-0001","disabled":false,"changed":false},)"
                    R"({"instance_id":"vphone-0002","disabled":false,"changed":true}]})"));
}

// Whichever of the two connects first.
TEST_F(Disable, OfTwoEntriesThatAreOnePhoneTheFirstGetsTheCommands) {
    const auto text = read_file(sim_->inventory());
    const auto at = text.find("127.0.0.1:") + 10;
    const auto port = text.substr(at, text.find_first_not_of("0123456789", at) - at);
    const auto entry = [&](const char* id, const char* host) {
        return fmt::format("  - {{id: {}, via: tcp, address: '{}:{}'}}\n", id, host, port);
    };
    for (const auto& entries : {entry("z", "localhost") + entry("b", "127.0.0.1"),  //
                                entry("z", "127.0.0.1") + entry("b", "localhost")}) {
        const auto inventory = home.dir().write("two.yaml", "version: 1\ninstances:\n" + entries + "discover: [usb]\n");
        auto env = home.env();
        env["ADB_SERVER_SOCKET"] = "tcp:127.0.0.1:1";
        const auto done = run_drover({"exec", "--inventory", inventory.string(), "--", "echo ran"}, env);
        EXPECT_EQ(done.code(), 10) << done.err;
        EXPECT_THAT(done.out, HasSubstr("z: ran")) << entries << done.err;
        EXPECT_THAT(done.out, Not(HasSubstr("b: ran")));
        EXPECT_THAT(done.out + done.err, HasSubstr("b: DROVER.5004: The phone is disabled: it is the same phone as z"));
        EXPECT_THAT(done.err, HasSubstr("z and b of the inventory have the same serial number vphone-0001"));
    }
}

TEST_F(Disable, WhatIsWrongChangesNothing) {
    EXPECT_EQ(drover({"disable", "vphone-0002"}).code(), 2) << "without a reason";
    EXPECT_EQ(drover({"disable", "vphone-0009", "--reason", "x"}).code(), 3);
    home.dir().write(".local/state/drover/disabled", "nonsense\n");
    const auto refused = exec("all");
    EXPECT_NE(refused.code(), 0) << "who knows which phone was disabled";
    EXPECT_THAT(refused.err, HasSubstr("disabled:1"));
}

TEST_F(Disable, WhoMayUseAPhoneByAPatternIsToldThatItIsDisabled) {
    EXPECT_EQ(drover({"disable", "vphone-0002", "--reason", "lent out"}).code(), 0);
    const auto made = home.drover({"token", "add", "rack", "--instances", "vphone-000*"});
    ASSERT_EQ(made.code(), 0) << made.err;
    ServeProcess serve(home, sim_->inventory());
    auto env = home.env();
    env["DROVER_TOKEN"] = made.out.substr(0, made.out.size() - 1);
    const auto named =
        run_drover({"exec", "--server", serve.url(), "--on", "vphone-0002", "--json", "--", "true"}, env);
    EXPECT_THAT(named.out, HasSubstr("DROVER.5004")) << named.err;
}

TEST_F(Disable, APhonePastALimitOfItsHealthIsLeftOutUntilItIsWellAgain) {
    const auto profile =
        home.dir().write("profile.yaml", "version: 1\nphones: {vphone-0002: {properties: {sim.battery.level: '5'}}}\n");
    const SimProcess sim(3, {"--profile", profile.string()});
    const auto config = home.dir().write("drover.yaml",
                                         "version: 1\nlog: {level: info}\n"
                                         "upkeep: {health: {every: 1s, battery_min: 15}}\n");
    ServeProcess serve(home, sim.inventory(), {"--config", config.string()});
    ASSERT_TRUE(serve.process().wait_for_error_line("battery at 5 %, below 15 %")) << serve.process().err();
    ASSERT_EQ(home.drover({"wait", "vphone-0001,vphone-0003"}).code(), 0);
    const auto all = home.drover({"exec", "--json", "--", "echo", "ran"});
    EXPECT_EQ(all.code(), 0) << all.out << all.err;
    EXPECT_THAT(all.out, Not(HasSubstr("vphone-0002")));
    EXPECT_THAT(all.out, HasSubstr("vphone-0003"));
    EXPECT_THAT(all.err, HasSubstr("1 disabled phone left out"));
    const auto named = home.drover({"exec", "--on", "vphone-0002", "--json", "--", "echo", "ran"});
    EXPECT_EQ(named.code(), 10) << named.err;
    EXPECT_THAT(named.out, HasSubstr("DROVER.5004"));
    EXPECT_THAT(named.out, HasSubstr("The phone is disabled: battery at 5 %, below 15 %"));
    EXPECT_THAT(named.out, HasSubstr(R"("attempts":0)"));
    EXPECT_THAT(named.out, HasSubstr(R"("phase":"queue")"));
    EXPECT_THAT(home.drover({"status", "vphone-0002"}).out,
                ::testing::ContainsRegex("vphone-0002 +5 shut down +.*battery at 5 %, below 15 %"));
    EXPECT_EQ(home.drover({"wait", "vphone-0002", "--timeout", "300ms"}).code(), 22) << "it takes no commands";
    // Whoever does not go through the server does not know of its limits.
    EXPECT_EQ(home.drover({"exec", "--inventory", sim.inventory(), "--on", "vphone-0002", "--",
                           "setprop sim.battery.level 80"})
                  .code(),
              0);
    EXPECT_EQ(home.drover({"wait", "vphone-0002", "--timeout", "60s"}).code(), 0) << serve.process().err();
    EXPECT_THAT(home.drover({"exec", "--json", "--", "echo", "ran"}).out, HasSubstr("vphone-0002"));
    // What drover asks phones by itself is no command of anybody: two rows, and three.
    const auto metrics = curl({"--unix-socket", home.socket(), "http://localhost/metrics"}).body;
    EXPECT_THAT(metrics, HasSubstr("drover_rows_total{code=\"ok\",class=\"\"} 5\n"));
}

TEST_F(Disable, ThroughAServerItIsSoBeforeTheAnswer) {
    const auto rack = home.drover({"token", "add", "rack", "--instances", "vphone-0001"});
    const auto config = home.dir().write("drover.yaml", "version: 1\nlog: {audit: audit.log}\n").string();
    ServeProcess serve(home, sim_->inventory(), {"--config", config});
    auto env = home.env();  // its socket, and a state directory of this client's own
    env["XDG_STATE_HOME"] = (home.dir() / "elsewhere").string();
    const auto disabled = run_drover({"disable", "vphone-0002", "--reason", "lent out"}, env);
    EXPECT_EQ(disabled.out, "vphone-0002: disabled\n") << disabled.err;
    const auto answer =
        call(home, serve, "/v1/instances/sync-command", R"({"command":"true","instance_ids":["vphone-0002"]})");
    EXPECT_THAT(answer.body, HasSubstr("lent out"));
    EXPECT_EQ(run_drover({"disable", "all", "--reason", "moving"}, env).out,
              "vphone-0001: disabled\nvphone-0002: was disabled already\nvphone-0003: disabled\n");
    EXPECT_EQ(run_drover({"disable", "vphone-0009", "--reason", "x"}, env).code(), 3);

    env["DROVER_SERVER"] = serve.url();
    env["DROVER_TOKEN"] = rack.out.substr(0, rack.out.size() - 1);
    EXPECT_EQ(run_drover({"enable", "vphone-0003"}, env).code(), 3) << "another tenant's";
    EXPECT_EQ(run_drover({"enable", "all"}, env).out, "vphone-0001: enabled\n");
    EXPECT_EQ(serve.stop(), 0);
    const auto audit = read_file(home.dir() / "audit.log");
    EXPECT_THAT(audit,
                HasSubstr("\"command\":\"disable: lent out\",\"instances\":[\"vphone-0002\"],\"outcome\":\"ok\""));
}

TEST_F(Disable, ARunningServerTakesItOverAndDoesNotTouchTheOthers) {
    // Debug lines say what links do.
    const auto config = home.dir().write(
        "drover.yaml", fmt::format("version: 1\ninventory: {}\nlog: {{level: debug}}\n", sim_->inventory()));
    ServeProcess serve(home, sim_->inventory(), {"--config", config.string()});
    for (const char* id : {"vphone-0001", "vphone-0002", "vphone-0003"}) {
        ASSERT_TRUE(serve.process().wait_for_error_line(fmt::format("{}: running", id)));
    }
    EXPECT_EQ(drover({"disable", "vphone-0002", "--reason", "lent out"}).code(), 0);
    ASSERT_TRUE(serve.process().wait_for_error_line("the phones have changed"));
    const auto sent = call(home, serve, "/v1/instances/sync-command",
                           R"({"command":"echo ran","instance_ids":["vphone-0001","vphone-0002"]})");
    EXPECT_THAT(sent.body, HasSubstr("DROVER.5004"));
    EXPECT_THAT(sent.body, HasSubstr("lent out"));
    EXPECT_THAT(sent.body, HasSubstr("ran\\n"));
    EXPECT_EQ(drover({"enable", "vphone-0002"}).code(), 0);
    const auto& log = serve.process();
    ASSERT_TRUE(serve.process().wait_for_error_line("vphone-0002: absent: lent out"));
    const auto back = call(home, serve, "/v1/instances/batch-query-status", R"({"instance_ids":["vphone-0002"]})");
    EXPECT_EQ(back.status, 200) << back.body;
    EXPECT_EQ(serve.stop(), 0);
    for (const char* id : {"vphone-0001", "vphone-0003"}) {
        EXPECT_THAT(log.err(), Not(HasSubstr(fmt::format("{}: absent", id)))) << "its link was touched";
        EXPECT_THAT(log.err(), Not(HasSubstr(fmt::format("{}: offline", id))));
    }
}

TEST_F(Disable, AChangedInventoryComesWithoutASignalAndKeepsWhatRuns) {
    const auto whole = read_file(sim_->inventory());
    const auto third = whole.find("  - {id: vphone-0003");
    ASSERT_NE(third, std::string::npos);
    const auto inventory = home.dir().write("phones.yaml", whole.substr(0, third));
    const auto config = home.dir().write(
        "drover.yaml", fmt::format("version: 1\ninventory: {}\nlog: {{level: debug}}\n", inventory.string()));
    ServeProcess serve(home, inventory.string(), {"--config", config.string()});
    ASSERT_TRUE(serve.process().wait_for_error_line("vphone-0001: running"));
    // A new file in the old one's place, as editors do it.
    std::filesystem::rename(home.dir().write("phones.new", whole), inventory);
    ASSERT_TRUE(serve.process().wait_for_error_line("the phones have changed: 3 now"));
    ASSERT_TRUE(serve.process().wait_for_error_line("vphone-0003: running"));
    home.dir().write("phones.yaml", "version: 1\ninstances: [nonsense]\n");
    ASSERT_TRUE(serve.process().wait_for_error_line("the phones stay as they were"));
    home.dir().write("phones.yaml", whole.substr(0, third));
    ASSERT_TRUE(serve.process().wait_for_error_line("the phones have changed: 2 now"));
    EXPECT_EQ(serve.stop(), 0);
    EXPECT_THAT(serve.process().err(), Not(HasSubstr("vphone-0001: offline")));
    EXPECT_THAT(serve.process().err(), Not(HasSubstr("vphone-0001: absent")));
}

}  // namespace
}  // namespace drover::test
