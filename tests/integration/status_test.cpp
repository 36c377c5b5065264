// `drover status` and `drover wait` with the real program.
#include <gmock/gmock.h>

#include <boost/json/parse.hpp>
#include <csignal>

#include "support/serve.hpp"

namespace drover::test {
namespace {

namespace json = boost::json;
using testing::HasSubstr;

class StatusTest : public ::testing::Test {
protected:
    StatusTest() {
        auto yaml = read_file(sim.inventory());
        yaml += "  - {id: ghost, via: tcp, address: '127.0.0.1:1'}\n";
        inventory = dir.write("i.yaml", yaml).string();
    }
    Finished drover(std::vector<std::string> args) {
        args.insert(args.end(), {"--inventory", inventory});
        return run_drover(std::move(args));
    }

    SimProcess sim{3};
    TempDir dir;
    std::string inventory;
};

TEST_F(StatusTest, TellsDocumentedNumbersWithTheirReason) {
    const auto done = drover({"status", "--json", "--connect-timeout", "2s"});
    ASSERT_EQ(done.code(), 0) << done.err;
    const auto phones = json::parse(done.out).at("phones").as_array();
    ASSERT_EQ(phones.size(), 4u);
    for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_EQ(phones[i].at("status").as_int64(), 2);
        EXPECT_EQ(phones[i].at("adb_state").as_int64(), 8);
        EXPECT_EQ(phones[i].at("why").as_string(), "sys.boot_completed=1");
    }
    EXPECT_EQ(phones[3].at("status").as_int64(), 1);
    EXPECT_EQ(phones[3].at("condition").as_string(), "absent");
    EXPECT_THAT(std::string(phones[3].at("why").as_string()), HasSubstr("Connection refused"));
}

TEST_F(StatusTest, HistoryTellsHowItCameThere) {
    const auto done = drover({"status", "vphone-0001", "--history"});
    ASSERT_EQ(done.code(), 0) << done.err;
    std::size_t at = 0;
    for (const char* step :
         {"1 stopped (absent)", "4 starting (connecting)", "4 starting (booting)", "2 running (running)"}) {
        at = done.out.find(step, at);
        EXPECT_NE(at, std::string::npos) << step << "\n" << done.out;
    }
}

TEST_F(StatusTest, WatchPrintsChangesUntilItIsStopped) {
    auto command = drover_command({"status", "vphone-000[1-2]", "--watch", "--inventory", inventory});
    Process watch(std::move(command));
    ASSERT_TRUE(watch.wait_for_line("vphone-0001: 2 running"));
    sim.process().signal(SIGTERM);
    ASSERT_TRUE(watch.wait_for_line("vphone-0001: 0 unknown (offline)"));
    watch.signal(SIGINT);
    EXPECT_EQ(watch.wait()->code, 130);
}

// Nothing changes, so nothing is written, and no write fails.
TEST_F(StatusTest, WatchEndsWhenItsReaderHasGone) {
    const ServeHome home;
    const ServeProcess serve(home, sim.inventory());
    EXPECT_EQ(home.drover({"wait", "vphone-0001"}).code(), 0);
    auto command = drover_command({"status", "vphone-0001", "--watch"}, home.env());
    command.argv.insert(command.argv.begin(), {"bash", "-c", "\"$@\" | head -n 1; echo \"${PIPESTATUS[0]}\"", "bash"});
    const auto done = run(std::move(command));
    EXPECT_THAT(done.out, testing::MatchesRegex(".* vphone-0001: 2 running.*\n1\n"));
}

TEST_F(StatusTest, AFrozenPhoneLeavesRunning) {
    const ServeHome home;
    const auto config = home.dir().write("drover.yaml",
                                         "version: 1\nlog: {level: debug}\n"
                                         "upkeep: {alive: {every: 1s, answer: 1s}, ladder: [{do: ask, after: 1s}]}\n");
    ServeProcess serve(home, sim.inventory(), {"--config", config.string()});
    ASSERT_TRUE(serve.process().wait_for_error_line("vphone-0001: running"));
    ASSERT_TRUE(sim.process().freeze());
    ASSERT_TRUE(serve.process().wait_for_error_line("vphone-0001: offline: it does not answer"))
        << serve.process().err();
    ASSERT_TRUE(serve.process().wait_for_error_line("vphone-0001: recovery: ask")) << serve.process().err();
    sim.process().signal(SIGCONT);
    EXPECT_EQ(home.drover({"wait", "all", "--timeout", "60s"}).code(), 0);
    EXPECT_EQ(serve.stop(), 0);
}

TEST_F(StatusTest, WaitEndsWhenEnoughPhonesAreThere) {
    EXPECT_EQ(drover({"wait", "vphone-*"}).code(), 0);
    EXPECT_EQ(drover({"wait", "all", "--count", "3"}).code(), 0);
    EXPECT_EQ(drover({"wait", "ghost", "--state", "absent"}).code(), 0);
}

TEST_F(StatusTest, WaitIsNotTakenInByWhatPhonesPassThroughWhileTheyConnect) {
    for (const char* state : {"absent", "stopped", "starting", "booting"}) {
        EXPECT_EQ(drover({"wait", "vphone-0001", "--state", state, "--timeout", "500ms"}).code(), 22) << state;
    }
}

TEST_F(StatusTest, WaitSaysWhoWasMissing) {
    const auto late = drover({"wait", "all", "--timeout", "300ms"});
    EXPECT_EQ(late.code(), 22);
    EXPECT_THAT(late.err, HasSubstr("3 of 4 phones were running in time"));
    EXPECT_THAT(late.err, HasSubstr("ghost: absent: cannot connect to 127.0.0.1:1"));
    EXPECT_EQ(drover({"wait", "all", "--count", "9"}).code(), 18);
    EXPECT_EQ(drover({"wait", "nobody-*"}).code(), 3);
    const auto wrong = drover({"wait", "all", "--state", "runing"});
    EXPECT_EQ(wrong.code(), 2);
    EXPECT_THAT(wrong.err, HasSubstr("running"));
}

}  // namespace
}  // namespace drover::test
