// --deadline bounds the whole call, and with it the look at phones that a selector with `state:` takes.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <algorithm>

#include "base/unique_fd.hpp"
#include "drover/command.hpp"
#include "support/listener.hpp"
#include "support/serve.hpp"

namespace drover::test {
namespace {

using testing::HasSubstr;

// One phone does not come: it is asked for its state as long as phones may take to connect, unless the call has less time.
class CallDeadline : public testing::Test {
protected:
    template <class Ask>
    static void expect_less_than_connecting_takes(const Ask& ask) {
        const auto begin = std::chrono::steady_clock::now();
        const std::string said = ask();
        EXPECT_LT(std::chrono::steady_clock::now() - begin, Limits{}.connect) << said;
    }
    std::string exec(std::vector<std::string> more) const {
        std::vector<std::string> args{"exec", "--on", "state:device", "--deadline", "3s", "--output", "jsonl"};
        args.insert(args.end(), more.begin(), more.end());
        args.insert(args.end(), {"--", "echo ran"});
        const auto done = home.drover(args);
        EXPECT_EQ(done.code(), 0) << done.out << done.err;
        EXPECT_EQ(std::count(done.out.begin(), done.out.end(), '\n'), 2) << done.out;
        return done.out + done.err;
    }

    const SimProcess sim{2};
    const ServeHome home;
    const std::string inventory =
        home.dir()
            .write("ghost.yaml", read_file(sim.inventory()) + "  - {id: ghost, via: tcp, address: '127.0.0.1:1'}\n")
            .string();
};

TEST_F(CallDeadline, CoversTheStatesThatASelectorAsksFor) {
    expect_less_than_connecting_takes([&] { return exec({"--inventory", inventory}); });
}

TEST_F(CallDeadline, CoversThemThroughAServerToo) {
    const ServeProcess serve(home, inventory);
    expect_less_than_connecting_takes([&] { return exec({}); });
    expect_less_than_connecting_takes([&] {
        const auto answer =
            call(home, serve, "/drover/v1/exec", R"({"on":"state:device","command":"echo ran","deadline_ms":3000})");
        EXPECT_THAT(answer.body, HasSubstr("\"ok\":2"));
        return answer.body;
    });
}

// Phones that may be one and the same are asked who they are before anything else.
TEST_F(CallDeadline, CoversTheOpeningOfAFleetWithDiscovery) {
    const auto text = read_file(inventory) + "discover: [server]\n";
    const auto found = home.dir().write("found.yaml", text).string();
    const auto closed = "tcp:127.0.0.1:1";  // no adb server
    auto env = home.env();
    env["ADB_SERVER_SOCKET"] = closed;
    for (const char* deadline : {"3s", "60s"}) {
        const auto begin = std::chrono::steady_clock::now();
        const auto done = run_drover({"exec", "--inventory", found, "--on", "vphone-*", "--deadline", deadline,
                                      "--output", "jsonl", "--", "echo ran"},
                                     env);
        EXPECT_EQ(done.code(), 0) << done.out << done.err;
        const auto took = std::chrono::steady_clock::now() - begin;
        EXPECT_EQ(took < Limits{}.connect, deadline == std::string("3s"))
            << "the ghost is waited for as long as may be";
    }
}

// It takes connections and says nothing.
TEST_F(CallDeadline, CoversAnAdbServerThatHangs) {
    const Listener hung;
    auto env = home.env();
    env["ADB_SERVER_SOCKET"] = fmt::format("tcp:127.0.0.1:{}", hung.port);
    const auto begin = std::chrono::steady_clock::now();
    const auto done = run_drover({"exec", "--deadline", "1s", "--", "echo ran"}, env);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, Limits{}.connect);
    EXPECT_EQ(done.code(), 20);
    EXPECT_THAT(done.err, HasSubstr("drover: the adb server has not answered within "));
    // Phones that are written down do not need it.
    const auto found = home.dir().write("found.yaml", read_file(inventory) + "discover: [server]\n").string();
    const auto rows = run_drover(
        {"exec", "--inventory", found, "--on", "vphone-*", "--deadline", "3s", "--output", "jsonl", "--", "echo ran"},
        env);
    EXPECT_EQ(rows.code(), 0) << rows.out << rows.err;
    EXPECT_EQ(run_drover({"wait", "all", "--timeout", "1s"}, env).code(), 22) << "phones may come later";
}

TEST_F(CallDeadline, WhatAPhoneMayTakeToConnectIsEnoughForSuchAServerToo) {
    const Listener hung;
    auto env = home.env();
    env["ADB_SERVER_SOCKET"] = fmt::format("tcp:127.0.0.1:{}", hung.port);
    for (std::vector<std::string> args : {std::vector<std::string>{"exec"}, {"devices"}, {"status"}, {"shell", "x"}}) {
        const bool exec = args[0] == "exec";
        args.insert(args.end(), {"--connect-timeout", "1s"});
        if (exec) args.insert(args.end(), {"--", "true"});
        const auto begin = std::chrono::steady_clock::now();
        const auto done = run_drover(args, env);
        EXPECT_LT(std::chrono::steady_clock::now() - begin, Limits{}.connect) << args[0];
        EXPECT_EQ(done.code(), 20);
        EXPECT_THAT(done.err, HasSubstr("drover: the adb server has not answered within 1s")) << args[0];
    }
}

TEST_F(CallDeadline, NobodyWaitsForAServerThatHangsAfterASignal) {
    Listener hung;
    auto env = home.env();
    env["ADB_SERVER_SOCKET"] = fmt::format("tcp:127.0.0.1:{}", hung.port);
    for (const std::vector<std::string>& args :
         {std::vector<std::string>{"exec", "--", "true"}, {"wait", "all"}, {"status"}, {"shell", "all"}}) {
        Process waits(drover_command(args, env));
        const UniqueFd connection(hung.accept());
        waits.signal(SIGTERM);
        const auto ended = waits.wait();
        ASSERT_TRUE(ended);
        EXPECT_EQ(ended->code, 128 + SIGTERM);
        EXPECT_EQ(waits.err(), "") << args[0];
    }
}

// They were told to stop, and did.
TEST_F(CallDeadline, ServicesThatWaitForSuchAServerStopAtOnce) {
    Listener hung;
    auto env = home.env();
    env["ADB_SERVER_SOCKET"] = fmt::format("tcp:127.0.0.1:{}", hung.port);
    home.dir().write("found.yaml", "version: 1\ndiscover: [server]\n");
    home.dir().write("token", home.token());
    ASSERT_EQ(::chmod((home.dir() / "token").c_str(), 0600), 0);
    const auto config =
        home.dir()
            .write("config.yaml",
                   "version: 1\ninventory: found.yaml\nstate_dir: state\napi: {listen: ['127.0.0.1:0']}\n"
                   "agent: {controller: 'unix:/nowhere', server_id: s1, token_file: token}\n")
            .string();
    for (const std::string service : {"serve", "agent"}) {
        Process waits(drover_command({service, "--config", config}, env));
        const UniqueFd connection(hung.accept());
        waits.signal(SIGHUP);  // ends nothing
        waits.signal(SIGTERM);
        EXPECT_EQ(waits.wait(), (ExitStatus{0, std::nullopt})) << waits.err();
        EXPECT_EQ(waits.out(), "") << service << " never was ready";
    }
}

// What is left of it is the command's.
TEST_F(CallDeadline, CoversBothTogether) {
    const auto begin = std::chrono::steady_clock::now();
    const auto done = home.drover({"exec", "--inventory", inventory, "--on", "state:device", "--deadline", "2s",
                                   "--output", "jsonl", "--", "sleep 100"});
    EXPECT_EQ(done.code(), 21) << done.err;
    EXPECT_LT(std::chrono::steady_clock::now() - begin, Limits{}.connect);
}

}  // namespace
}  // namespace drover::test
