// `drover shell` with a person's terminal and with a pipe: what is typed and shown, sizes, exit codes, and the terminal afterwards.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/ioctl.h>
#include <termios.h>

#include <csignal>

#include "base/unique_fd.hpp"
#include "pty_process.hpp"
#include "support/drover.hpp"
#include "support/listener.hpp"

namespace drover::test {
namespace {

using ::testing::HasSubstr;

bool is_raw(const PtyProcess& process) {
    termios now{};
    return ::tcgetattr(process.terminal(), &now) == 0 && (now.c_lflag & (ICANON | ECHO)) == 0;
}

std::vector<std::string> shell_command(const SimProcess& phones) {
    return {DROVER_PROGRAM, "shell", "vphone-0001", "--inventory", phones.inventory()};
}

TEST(Shell, TypingSizesAndTheExitCode) {
    const SimProcess phones(1);
    PtyProcess shell(shell_command(phones));
    ASSERT_TRUE(shell.wait_for("vphone-0001:$ "));
    EXPECT_TRUE(is_raw(shell));
    shell.type("echo size=${COLUMNS}x$LINES\r");
    ASSERT_TRUE(shell.wait_for("size=100x40")) << shell.shown();
    winsize size{};
    size.ws_col = 77;
    size.ws_row = 33;
    ASSERT_EQ(::ioctl(shell.terminal(), TIOCSWINSZ, &size), 0);
    // The new size travels as a packet before these keys.
    shell.type("true; echo now=${COLUMNS}x$LINES\r");
    shell.type("true; echo now=${COLUMNS}x$LINES\r");
    ASSERT_TRUE(shell.wait_for("now=77x33")) << shell.shown();
    shell.type("exit 7\r");
    EXPECT_EQ(shell.wait().code, 7);
    EXPECT_FALSE(is_raw(shell)) << "the terminal is as it was";
}

TEST(Shell, CtrlCIsThePhonesAndTildeDotLeaves) {
    const SimProcess phones(1);
    PtyProcess shell(shell_command(phones));
    ASSERT_TRUE(shell.wait_for("$ "));
    // What was typed is shown before it runs; a key that comes in between would be the shell's own.
    shell.type("sh -c 'echo begun$((0+1)); exec sleep 600'; echo after\r");
    ASSERT_TRUE(shell.wait_for("begun1"));
    shell.type("\x03");
    ASSERT_TRUE(shell.wait_for("$ ")) << shell.shown();
    shell.type("\r~.");
    EXPECT_EQ(shell.wait().code, 0);
    EXPECT_FALSE(is_raw(shell));
}

TEST(Shell, ASignalGivesTheTerminalBack) {
    const SimProcess phones(1);
    PtyProcess shell(shell_command(phones));
    ASSERT_TRUE(shell.wait_for("$ "));
    ::kill(shell.pid(), SIGTERM);
    EXPECT_EQ(shell.wait().code, 143);
    EXPECT_FALSE(is_raw(shell));
}

TEST(Shell, CtrlCBeforeThePhoneHasAnsweredLeaves) {
    TempDir dir;
    Listener silent;
    const auto phones = dir.write("phones.yaml", fmt::format("version: 1\ninstances:\n  - {{id: p1, via: tcp, address: "
                                                             "'127.0.0.1:{}'}}\n",
                                                             silent.port));
    PtyProcess shell({DROVER_PROGRAM, "shell", "p1", "--inventory", phones.string()});
    const UniqueFd connection(silent.accept());
    shell.type("\x03");
    EXPECT_EQ(shell.wait().code, 130) << shell.shown();
}

TEST(Shell, ThroughAPipe) {
    const SimProcess phones(1);
    auto options = drover_command({"shell", "vphone-0001", "--inventory", phones.inventory()});
    options.input = "echo out\necho err >&2\nexit 3\n";
    const auto ran = run(std::move(options));
    EXPECT_EQ(ran.code(), 3);
    EXPECT_EQ(ran.out, "out\n");
    EXPECT_EQ(ran.err, "err\n");
    auto piped = drover_command({"shell", "vphone-0001", "--inventory", phones.inventory(), "--", "wc -c"});
    piped.input = std::string(300'000, 'x');
    EXPECT_THAT(run(std::move(piped)).out, HasSubstr("300000"));
}

TEST(Shell, OnePhoneThatIsThere) {
    const SimProcess phones(2);
    EXPECT_EQ(run_drover({"shell", "all", "--inventory", phones.inventory()}).code(), 2);
    EXPECT_EQ(run_drover({"shell", "nobody", "--inventory", phones.inventory()}).code(), 3);
}

}  // namespace
}  // namespace drover::test
