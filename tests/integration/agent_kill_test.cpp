// Either end of the agent's protocol is killed: nothing is lost, and nothing runs twice.
#include <random>

#include "integration/agent_ends.hpp"
#include "support/rounds.hpp"

namespace drover::test {
namespace {

class AgentKilled : public AgentEnds, public ::testing::WithParamInterface<const char*> {};

TEST_P(AgentKilled, NothingIsLostAndNothingRunsTwice) {
    add_job("t1");
    start_agent();
    const auto number = send("START", "t1");
    ASSERT_TRUE(agent->wait_for_error_line(std::string("START of task t1") + GetParam())) << agent->err();
    kill_agent();
    start_agent();
    const auto result = result_of(number);
    const auto counted = runs("t1");
    for (const auto n : counted) EXPECT_LE(n, 1U);
    if (result.substr(0, 8) == "success:") {
        EXPECT_EQ(counted, once);
    } else {
        EXPECT_EQ(result.substr(0, 17), "fail: interrupted");
    }
    // Those on which it had ended well are left alone; the others run once more at most, since SYNC asks for it.
    EXPECT_EQ(result_of(send("SYNC", "t1")).substr(0, 8), "success:");
    for (const auto n : runs("t1")) EXPECT_GE(n, 1U);
    if (result.substr(0, 8) == "success:") EXPECT_EQ(runs("t1"), once);
}

INSTANTIATE_TEST_SUITE_P(AtEachStep, AgentKilled, ::testing::Values(" received", " begins", ": success", ": reported"));

TEST_F(AgentEnds, AnAgentKilledDuringALongStartReportsItAndObeysStop) {
    start_agent();
    const auto start = send("START", "long");
    ASSERT_TRUE(agent->wait_for_error_line("START of task long begins"));
    kill_agent();
    const auto stop = send("STOP", "long");
    start_agent();
    EXPECT_EQ(result_of(start).substr(0, 17), "fail: interrupted");
    EXPECT_EQ(result_of(stop), "success: nothing was running");
}

// Kills of either side at any moment, from a seed.
TEST_F(AgentEnds, RandomKillsLoseNothingAndRunNothingTwice) {
    const unsigned all = rounds(4);
    for (unsigned i = 0; i < all; ++i) add_job(fmt::format("t{}", i));
    start_agent();
    std::minstd_rand random(all);
    for (unsigned i = 0; i < all; ++i) {
        const auto task = fmt::format("t{}", i);
        const auto number = send("START", task);
        for (int kills = 0; kills < 3; ++kills) {
            for (auto asked = random() % 12; asked > 0; --asked) (void)command(number);
            if (random() % 2 == 0) {
                kill_controller();
            } else {
                kill_agent();
                start_agent();
            }
        }
        const auto result = result_of(number);
        const auto counted = runs(task);
        if (result == "success: 3 phones ended well") {
            EXPECT_EQ(counted, once) << task;
        } else {
            EXPECT_EQ(result.substr(0, 17), "fail: interrupted") << result;
            for (const auto n : counted) EXPECT_LE(n, 1U) << task;
        }
    }
}

TEST_F(AgentEnds, AControllerKilledAtEachStepLosesNothing) {
    for (const std::string task : {"t1", "t2", "t3"}) add_job(task);
    start_agent();
    const auto first = send("START", "t1");
    kill_controller();  // waiting or delivered
    ASSERT_TRUE(agent->wait_for_error_line("START of task t1 received"));
    kill_controller();  // while it runs
    EXPECT_EQ(result_of(first), "success: 3 phones ended well");
    const auto second = send("START", "t2");
    ASSERT_TRUE(agent->wait_for_error_line("START of task t2: success"));
    kill_controller();  // before or after it has taken the result
    EXPECT_EQ(result_of(second), "success: 3 phones ended well");
    kill_controller();
    EXPECT_EQ(result_of(second), "success: 3 phones ended well") << "results are kept";
    EXPECT_EQ(result_of(send("START", "t3")), "success: 3 phones ended well");
    for (const std::string task : {"t1", "t2", "t3"}) EXPECT_EQ(runs(task), once) << task;
}

}  // namespace
}  // namespace drover::test
