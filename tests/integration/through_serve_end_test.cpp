// A client or a server that stops, hangs or vanishes while they work together.
#include <gmock/gmock.h>

#include <csignal>

#include "integration/through_serve.hpp"

namespace drover::test {
namespace {

using testing::HasSubstr;

class ThroughServeEnd : public ThroughServe {
protected:
    // More than any time that is given here, less than a question may take.
    static constexpr std::chrono::milliseconds kFarPast{8'000};
    // Less than the 3 s that a process has to come to its end.
    static constexpr std::chrono::milliseconds kAtOnce{2'500};
};

TEST_F(ThroughServeEnd, ASignalStopsTheCallOnTheServer) {
    for (const int signal : {SIGINT, SIGTERM}) {
        auto process = start({"exec", "--timeout", "300s", "--output", "jsonl", "--",
                              "case $(getprop ro.serialno) in *1) echo up;; *) sleep 200;; esac"});
        ASSERT_TRUE(process.wait_for_line("\"status\":2")) << process.err();
        process.signal(signal);
        const auto ended = process.wait();
        ASSERT_TRUE(ended);
        EXPECT_EQ(ended->code, 128 + signal);
        EXPECT_EQ(std::count(process.out().begin(), process.out().end(), '\n'), 3) << process.out();
        EXPECT_THAT(process.out(),
                    HasSubstr(std::string("\"Interrupted: drover was stopped: SIG") + sigabbrev_np(signal) + "\""));
        EXPECT_TRUE(serve.process().wait_for_error_line("call=exec outcome=1 ok, 2 failed"));
    }
}

TEST_F(ThroughServeEnd, AClientThatVanishesFreesThePhones) {
    auto process = start({"exec", "--timeout", "300s", "--output", "jsonl", "--",
                          "case $(getprop ro.serialno) in *1) echo up;; *) sleep 200;; esac"});
    ASSERT_TRUE(process.wait_for_line("\"status\":2")) << process.err();
    process.signal(SIGKILL);
    EXPECT_TRUE(serve.process().wait_for_error_line("call=exec outcome=1 ok, 2 failed")) << serve.process().err();
}

TEST_F(ThroughServeEnd, AServerThatVanishesLeavesNoPhoneWithoutARow) {
    auto process = start({"exec", "--timeout", "300s", "--output", "jsonl", "--",
                          "case $(getprop ro.serialno) in *1) echo up;; *) sleep 200;; esac"});
    ASSERT_TRUE(process.wait_for_line("\"status\":2")) << process.err();
    serve.process().signal(SIGKILL);
    const auto ended = process.wait();
    ASSERT_TRUE(ended);
    EXPECT_EQ(ended->code, 20);
    EXPECT_EQ(std::count(process.out().begin(), process.out().end(), '\n'), 3) << process.out();
    EXPECT_THAT(process.out(), HasSubstr("DROVER.4001"));
    EXPECT_THAT(process.out(), HasSubstr("drover server unix:" + home.socket() +
                                         " ended in the middle of its answer; "
                                         "whether the command ran on this phone is not known\""));
}

TEST_F(ThroughServeEnd, AServerThatHangsKeepsNobodyFromStopping) {
    for (const bool told : {true, false}) {
        auto process = start({"exec", "--timeout", "300s", "--deadline", told ? "300s" : "2s", "--output", "jsonl",
                              "--", "case $(getprop ro.serialno) in *1) echo up;; *) sleep 200;; esac"});
        ASSERT_TRUE(process.wait_for_line("\"status\":2")) << process.err();
        ASSERT_TRUE(serve.process().freeze());
        if (told) process.signal(SIGTERM);
        const auto ended = process.wait();
        serve.process().signal(SIGCONT);
        ASSERT_TRUE(ended);
        EXPECT_EQ(ended->code, told ? 128 + SIGTERM : 21);
        EXPECT_EQ(std::count(process.out().begin(), process.out().end(), '\n'), 3) << process.out();
        EXPECT_THAT(process.out(), HasSubstr("; the server did not answer"));
    }
}

// Asked before it hangs or while it does.
TEST_F(ThroughServeEnd, AServerThatHangsKeepsNobodyWaitingPastItsTime) {
    const auto quick = [&](const char* what, const std::function<int()>& ask, int code,
                           std::chrono::milliseconds limit) {
        const auto begin = std::chrono::steady_clock::now();
        EXPECT_EQ(ask(), code) << what;
        EXPECT_LT(std::chrono::steady_clock::now() - begin, limit) << what;
    };
    const auto end_of = [](Process& process) { return process.wait()->code.value_or(-1); };
    auto begun = start({"wait", "all", "--state", "absent", "--timeout", "3s"});
    ASSERT_TRUE(begun.wait_for_error_line("3 phones match")) << begun.err();
    ASSERT_TRUE(serve.process().freeze());
    quick(
        "wait that had begun", [&] { return end_of(begun); }, 20, kFarPast);
    for (const auto& args : {Args{"wait", "all", "--timeout", "2s"}, Args{"exec", "--deadline", "2s", "--", "true"},
                             Args{"exec", "--timeout", "2s", "--", "true"}})
        quick(
            args[1].c_str(), [&] { return home.drover(args).code(); }, 20, kFarPast);
    for (const auto& args :
         {Args{"status", "--watch"}, Args{"status"}, Args{"wait", "all"}, Args{"exec", "--", "true"}}) {
        auto process = start(args);
        ASSERT_TRUE(process.wait_for_error_line("fleet: that of")) << process.err();
        process.signal(SIGTERM);
        quick(
            args[0].c_str(), [&] { return end_of(process); }, 128 + SIGTERM, kAtOnce);
    }
    serve.process().signal(SIGCONT);
}

TEST_F(ThroughServeEnd, AReloadWhileItStopsKillsNoServer) {
    const auto config = home.dir().write("slow.yaml", "version: 1\nstop: {drain: 500ms}\n").string();
    const ServeHome other;
    ServeProcess stopped(other, sim_->inventory(), {"--config", config});
    Process busy(drover_command({"exec", "--timeout", "300s", "--output", "jsonl", "--",
                                 "case $(getprop ro.serialno) in *1) echo up;; *) sleep 200;; esac"},
                                other.env()));
    ASSERT_TRUE(busy.wait_for_line("\"status\":2")) << busy.err();
    stopped.process().signal(SIGTERM);
    ASSERT_TRUE(stopped.process().wait_for_error_line("stopping"));
    stopped.process().signal(SIGHUP);
    const auto ended = stopped.process().wait();
    ASSERT_TRUE(ended);
    EXPECT_EQ(ended->code, 0) << stopped.process().err();
}

TEST_F(ThroughServeEnd, AServerThatIsStoppedCancelsWhatItDoesForOthers) {
    const auto config = home.dir().write("drain.yaml", "version: 1\nstop: {drain: 100ms}\n").string();
    const ServeHome other;
    ServeProcess short_drain(other, sim_->inventory(), {"--config", config});
    Process process(drover_command({"exec", "--timeout", "300s", "--output", "jsonl", "--",
                                    "case $(getprop ro.serialno) in *1) echo up;; *) sleep 200;; esac"},
                                   other.env()));
    ASSERT_TRUE(process.wait_for_line("\"status\":2")) << process.err();
    EXPECT_EQ(short_drain.stop(), 0);
    const auto ended = process.wait();
    ASSERT_TRUE(ended);
    EXPECT_EQ(ended->code, 19) << "cancelled by someone else";
    EXPECT_THAT(process.out(), HasSubstr("Cancelled: the drover server ends"));
}

}  // namespace
}  // namespace drover::test
