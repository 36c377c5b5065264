// How exec ends when it is told to: signals without a terminal, Ctrl-C on one.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/json/parse.hpp>
#include <csignal>
#include <cstring>

#include "pty_process.hpp"
#include "support/drover.hpp"
#include "where.hpp"

namespace drover::test {
namespace {

namespace json = boost::json;
using testing::HasSubstr;

// One phone ends at once, so that a test can wait until the others are surely at work.
const char* const kOneEndsTheOthersSleep = "case $(getprop ro.serialno) in *1) echo up;; *) sleep 200;; esac";

class CliStop : public testing::Test {
protected:
    std::vector<std::string> args(std::string output, std::string command = kOneEndsTheOthersSleep) {
        return {"exec", "--inventory",     sim_.inventory(), "--timeout", "300s", "--output", std::move(output),
                "--",   std::move(command)};
    }
    void expect_stop(int signal, int code) {
        Process process(drover_command(args("jsonl")));
        ASSERT_TRUE(process.wait_for_line("\"status\":2")) << process.err();
        process.signal(signal);
        const auto begin = std::chrono::steady_clock::now();
        const auto status = process.wait();
        ASSERT_TRUE(status);
        EXPECT_EQ(status->code, code);
        EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(30));
        EXPECT_EQ(std::count(process.out().begin(), process.out().end(), '\n'), kPhones) << process.out();
        EXPECT_THAT(process.out(), HasSubstr("\"error_code\":\"DROVER.5002\""));
        EXPECT_THAT(process.out(),
                    HasSubstr(std::string("\"Interrupted: drover was stopped: SIG") + sigabbrev_np(signal) + "\""));
        EXPECT_THAT(process.err(), HasSubstr("drover: stopping"));
    }

    static constexpr int kPhones = 3;
    SimProcess sim_{kPhones};
};

TEST_F(CliStop, SigintStopsWith130) { expect_stop(SIGINT, 130); }
TEST_F(CliStop, SigtermStopsWith143) { expect_stop(SIGTERM, 143); }
TEST_F(CliStop, SighupStopsWith129) { expect_stop(SIGHUP, 129); }

TEST_F(CliStop, AnIgnoredHangupStaysIgnored) {
    auto options = drover_command(args("jsonl", "case $(getprop ro.serialno) in *1) ;; *) sleep 1;; esac"));
    options.argv.insert(options.argv.begin(), "nohup");
    Process process(std::move(options));
    ASSERT_TRUE(process.wait_for_line("\"status\":2")) << process.err();
    process.signal(SIGHUP);
    const auto status = process.wait();
    ASSERT_TRUE(status);
    EXPECT_EQ(status->code, 0) << process.err();
}

TEST_F(CliStop, JsonIsWholeAfterAStop) {
    // The JSON comes at the end: a second call on the same phones shows that the first is at work.
    Process process(drover_command(args("json", "echo at-work > here; sleep 200")));
    const auto probe = [&] {
        return run_drover({"exec", "--inventory", sim_.inventory(), "--on", "vphone-0001", "--", "cat", "here"}).out;
    };
    const auto deadline = std::chrono::steady_clock::now() + kWaitMax;
    bool at_work = false;
    while (!at_work && std::chrono::steady_clock::now() < deadline)
        at_work = probe().find("at-work") != std::string::npos;
    ASSERT_TRUE(at_work) << process.err();
    process.signal(SIGTERM);
    const auto status = process.wait();
    ASSERT_TRUE(status);
    EXPECT_EQ(status->code, 143);
    const auto document = json::parse(process.out());
    EXPECT_EQ(document.at("rows").as_array().size(), static_cast<std::size_t>(kPhones));
    EXPECT_EQ(document.at("summary").at("exit_code").as_int64(), 143);
}

TEST_F(CliStop, TimeoutOfCoreutilsIsOneStopAlthoughItSignalsTwice) {
    auto options = drover_command(args("jsonl"));
    options.argv.insert(options.argv.begin(), {"timeout", "--preserve-status", "3"});
    const auto done = run(std::move(options));
    EXPECT_EQ(done.code(), 143);
    EXPECT_EQ(std::count(done.out.begin(), done.out.end(), '\n'), kPhones) << done.out;
    EXPECT_EQ(done.out.find("abandoned"), std::string::npos) << done.out;
}

TEST_F(CliStop, OnATerminalCtrlCListsThenStops) {
    auto argv = args("jsonl");
    argv.insert(argv.begin(), DROVER_PROGRAM);
    PtyProcess process(argv);
    ASSERT_TRUE(process.wait_for("\"status\":2")) << process.shown();
    process.type("\x03");
    ASSERT_TRUE(process.wait_for("2 of 3 still running: vphone-[0002-0003]")) << process.shown();
    process.type("\x03");
    ASSERT_TRUE(process.wait_for("drover: stopping")) << process.shown();
    const auto status = process.wait();
    EXPECT_EQ(status.code, 130) << process.shown();
    EXPECT_THAT(process.shown(), HasSubstr("DROVER.5002"));
}

TEST_F(CliStop, ATerminalGetsTheFoldedFormColorsAndAProgressLine) {
    PtyProcess process({DROVER_PROGRAM, "exec", "--inventory", sim_.inventory(), "--timeout", "60s", "--",
                        "case $(getprop ro.serialno) in *1) sleep 1;; esac; printf 'a\\033[2Jb\\n'"});
    EXPECT_TRUE(process.wait_for("2/3 done, still: vphone-0001")) << process.shown();
    EXPECT_TRUE(process.wait_for("\r\x1b[K")) << process.shown();
    EXPECT_TRUE(process.wait_for("\x1b[36mvphone-[0001-0003] (3)\x1b[0m")) << process.shown();
    EXPECT_TRUE(process.wait_for("a\\x1b[2Jb")) << process.shown();
    EXPECT_EQ(process.wait().code, 0) << process.shown();
}

TEST_F(CliStop, ATerminalThatCanDoNothingGetsPlainLines) {
    PtyProcess process({"/usr/bin/env", "TERM=dumb", DROVER_PROGRAM, "exec", "--inventory", sim_.inventory(),
                        "--timeout", "60s", "--", "case $(getprop ro.serialno) in *1) sleep 1;; esac; echo a"});
    EXPECT_EQ(process.wait().code, 0) << process.shown();
    EXPECT_THAT(process.shown(), HasSubstr("vphone-[0001-0003] (3)"));
    EXPECT_EQ(process.shown().find('\x1b'), std::string::npos) << process.shown();
}

TEST_F(CliStop, AnOutputThatNobodyReadsDoesNotKeepAStoppedProcess) {
    // A FIFO that is held open and never read: the printing thread hangs in write(2) when the signal comes.
    const TempDir dir;
    const auto fifo = dir / "fifo";
    ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
    const int fd = ::open(fifo.c_str(), O_RDWR | O_CLOEXEC);
    ASSERT_GE(fd, 0);
    auto options =
        drover_command(args("lines", "case $(getprop ro.serialno) in *1) yes | head -c 300000;; *) sleep 200;; esac"));
    options.argv.insert(options.argv.begin() + 2, {"--max-output", "400000"});
    options.argv.insert(options.argv.begin(), {"bash", "-c", "exec \"$@\" > '" + fifo.string() + "'", "bash"});
    Process process(std::move(options));
    const auto deadline = std::chrono::steady_clock::now() + kWaitMax;
    const int full = ::fcntl(fd, F_GETPIPE_SZ);
    for (int waiting = 0; waiting < full; ::poll(nullptr, 0, 10)) {
        ASSERT_EQ(::ioctl(fd, FIONREAD, &waiting), 0);
        ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "the pipe was not filled";
    }
    process.signal(SIGTERM);
    const auto status = process.wait(std::chrono::seconds(30));
    ::close(fd);
    ASSERT_TRUE(status) << process.err();
    EXPECT_EQ(status->code, 143) << process.err();
}

}  // namespace
}  // namespace drover::test
