// The tests' own tool: a helper that hides a hang or an exit code would make every integration test worthless.
#include "support/process.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <system_error>

#include "support/temp_dir.hpp"

namespace drover::test {
namespace {

using namespace std::chrono_literals;

ProcessOptions sh(const std::string& script) {
    ProcessOptions options;
    options.argv = {"sh", "-c", script};
    return options;
}

TEST(Process, KeepsOutAndErrApartAndTellsTheExitCode) {
    const auto done = run(sh("echo out; echo err >&2; exit 7"));
    EXPECT_EQ(done.out, "out\n");
    EXPECT_EQ(done.err, "err\n");
    EXPECT_EQ(done.code(), 7);
}

TEST(Process, TellsTheSignal) {
    Process child(sh("echo up; exec sleep 100"));
    ASSERT_EQ(child.wait_for_line("up"), "up");
    child.signal(SIGTERM);
    EXPECT_EQ(child.wait(), (ExitStatus{.code = {}, .signal = SIGTERM}));
}

TEST(Process, FeedsStdinAndOtherwiseGivesNone) {
    auto fed = sh("wc -c");
    fed.input = std::string(300'000, 'x');  // more than a pipe holds
    EXPECT_EQ(run(fed).out, "300000\n");
    EXPECT_EQ(run(sh("wc -c")).out, "0\n");
}

TEST(Process, SurvivesAChildThatDoesNotReadItsStdin) {
    auto deaf = sh("exit 3");
    deaf.input = std::string(300'000, 'x');
    EXPECT_EQ(run(deaf).code(), 3);
}

TEST(Process, ChangesEnvironmentAndDirectory) {
    TempDir dir;
    auto child = sh("echo $ADDED; echo ${HOME-none}; pwd");
    child.env = {{"ADDED", "yes"}, {"HOME", std::nullopt}};
    child.cwd = dir.path();
    EXPECT_EQ(run(child).out, "yes\nnone\n" + std::filesystem::canonical(dir.path()).string() + "\n");
}

TEST(Process, KeepsOnlySoMuchAndCountsTheRest) {
    auto loud = sh("head -c 1000000 /dev/zero");
    loud.output_kept_bytes = 1000;
    Process child(std::move(loud));
    ASSERT_TRUE(child.wait());
    EXPECT_EQ(child.out().size(), 1000u);
    EXPECT_EQ(child.out_bytes(), 1'000'000u);
}

TEST(Process, FindsALineThatCameInPieces) {
    Process child(sh("printf 'rea'; printf 'dy: 20 phones\\nmore'; exec sleep 100"));
    EXPECT_EQ(child.wait_for_line("ready:"), "ready: 20 phones");
    EXPECT_EQ(child.wait_for_line("more", 1ms), std::nullopt) << "not a whole line yet";
}

TEST(Process, AWaitEndsAtItsDeadlineAndTheChildLivesOn) {
    Process child(sh("exec sleep 100"));
    EXPECT_EQ(child.wait(1ms), std::nullopt);
    EXPECT_EQ(::kill(child.pid(), 0), 0);
}

TEST(Process, IsNotHeldUpByAGrandchildWithThePipe) {
    Process child(sh("sleep 100 & echo done"));
    EXPECT_TRUE(child.wait());
    EXPECT_EQ(child.out(), "done\n");
}

TEST(Process, DestructionEndsTheWholeGroup) {
    // Every member holds the write end of `alive`; it reads as ended only when the last of them is gone.
    TempDir dir;
    const auto fifo = (dir / "alive").string();
    ASSERT_EQ(run(sh("mkfifo " + fifo)).code(), 0);
    Process reader(sh("cat " + fifo));
    {
        Process child(sh("exec 9>" + fifo + "; sleep 100 & echo up; wait"));
        ASSERT_TRUE(child.wait_for_line("up"));
    }
    EXPECT_EQ(reader.wait(), (ExitStatus{.code = 0, .signal = {}}));
}

TEST(Process, AProgramThatIsNotThereIsAnErrorAtOnce) {
    EXPECT_THROW(Process(ProcessOptions{.argv = {"/no/such/program"}}), std::system_error);
    EXPECT_THROW(Process(ProcessOptions{}), std::system_error);
    EXPECT_EQ(run(ProcessOptions{.argv = {"no-such-program-in-path"}}).code(), 127);
}

TEST(Process, DiesWithTheTestThatStartedIt) {
    // A stand-in for a test: it starts a child as Process does, tells its pid, and is killed.
    TempDir dir;
    const auto fifo = (dir / "alive").string();
    ASSERT_EQ(run(sh("mkfifo " + fifo)).code(), 0);
    Process reader(sh("cat " + fifo));
    int status = 0;
    const pid_t stand_in = ::fork();
    ASSERT_GE(stand_in, 0);
    if (stand_in == 0) {
        Process child(sh("exec 9>" + fifo + "; echo up; exec sleep 100"));
        if (child.wait_for_line("up")) ::kill(::getpid(), SIGKILL);
        ::_exit(1);
    }
    ASSERT_EQ(::waitpid(stand_in, &status, 0), stand_in);
    ASSERT_TRUE(WIFSIGNALED(status));
    EXPECT_EQ(reader.wait(), (ExitStatus{.code = 0, .signal = {}})) << "the child holds the pipe: it is still alive";
}

TEST(TempDir, IsRemovedWithItsFiles) {
    std::filesystem::path kept;
    {
        TempDir dir;
        kept = dir.path();
        EXPECT_EQ(read_file(dir.write("a/b.txt", std::string("x\0y", 3))), std::string("x\0y", 3));
    }
    EXPECT_FALSE(std::filesystem::exists(kept));
}

}  // namespace
}  // namespace drover::test
