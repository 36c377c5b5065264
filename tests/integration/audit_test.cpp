// Who did what, after the fact: the audit log of a running serve.
#include <gmock/gmock.h>

#include <fstream>

#include "support/serve.hpp"

namespace drover::test {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class Audit : public ::testing::Test {
protected:
    std::vector<boost::json::object> lines() const {
        std::ifstream in(home.dir() / "audit.log");
        std::vector<boost::json::object> all;
        for (std::string line; std::getline(in, line);) all.push_back(boost::json::parse(line).as_object());
        return all;
    }
    // The lines of a call, once so many are there or the time is over: they are written behind the answer.
    std::vector<boost::json::object> lines_of(std::string_view call, std::size_t wanted) const {
        const auto until = std::chrono::steady_clock::now() + kWaitMax;
        for (;;) {
            auto all = lines();
            std::erase_if(all, [&](const auto& line) { return text(line, "call") != call; });
            if (all.size() >= wanted || std::chrono::steady_clock::now() > until) return all;
        }
    }
    static std::string text(const boost::json::object& line, std::string_view key) {
        return boost::json::value_to<std::string>(line.at(key));
    }

    SimProcess sim{2};
    ServeHome home;
    const std::string config = home.dir().write("drover.yaml", "version: 1\nlog: {audit: audit.log}\n").string();
    ServeProcess serve{home, sim.inventory(), {"--config", config}};
};

TEST_F(Audit, ATaskHasALineOfItsEnd) {
    const auto accepted = call(home, serve, "/v1/instances/async-command",
                               R"({"command":"ls /nothing","instance_ids":["vphone-0001","vphone-0002"]})");
    const auto id = boost::json::value_to<std::string>(accepted.json().at("data").at("task_id"));
    const auto ended = lines_of("task_end", 1);
    ASSERT_EQ(ended.size(), 1U);
    EXPECT_EQ(text(ended[0], "outcome"), "task " + id + ": 0 ok, 2 failed");
    EXPECT_EQ(text(ended[0], "command"), "ls /nothing");
    EXPECT_EQ(text(ended[0], "tenant"), "ci");
    const auto begun = lines_of("async-command", 1);
    ASSERT_EQ(begun.size(), 1U);
    EXPECT_EQ(begun[0].at("instances").as_array().size(), 2U);
    EXPECT_EQ(text(begun[0], "peer"), "127.0.0.1");
}

TEST_F(Audit, ATaskThatAKillInterruptedHasOneWithTheNextStart) {
    const auto accepted = call(home, serve, "/v1/instances/async-command",
                               R"({"command":"sleep 600","instance_ids":["vphone-0001","vphone-0002"]})");
    const auto id = boost::json::value_to<std::string>(accepted.json().at("data").at("task_id"));
    const auto until = std::chrono::steady_clock::now() + kWaitMax;
    const auto running = [&] {
        const auto tasks = call(home, serve, "/drover/v1/tasks").json();
        return tasks.at("data").at("tasks").at(0).at("running") == 2;
    };
    while (!running()) ASSERT_LT(std::chrono::steady_clock::now(), until);
    serve.process().signal(SIGKILL);
    ASSERT_TRUE(serve.process().wait());
    const ServeProcess again(home, sim.inventory(), {"--config", config});
    const auto ended = lines_of("task_end", 1);
    ASSERT_EQ(ended.size(), 1U);
    EXPECT_EQ(text(ended[0], "outcome"), "task " + id + ": 0 ok, 2 failed");
    EXPECT_EQ(text(ended[0], "command"), "sleep 600");
}

TEST_F(Audit, WhoCameThroughTheSocketIsKnown) {
    curl({"--unix-socket", home.socket(), "-d", R"({"command":"true","instance_ids":["vphone-0001"]})", "-H",
          "x-request-id: 1", "http://localhost/v1/instances/sync-command"});
    const auto all = lines_of("sync-command", 1);
    ASSERT_EQ(all.size(), 1U);
    EXPECT_THAT(text(all[0], "peer"), StartsWith("unix uid " + std::to_string(::getuid()) + " pid "));
    EXPECT_THAT(text(all[0], "outcome"), HasSubstr("1 ok"));
}

}  // namespace
}  // namespace drover::test
