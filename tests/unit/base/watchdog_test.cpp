// What is killed when a fleet ends, and what is not.
#include "base/watchdog.hpp"

#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

namespace drover {
namespace {

// A process in a group of its own that waits to be killed; killed with this object.
class Sleeper {
public:
    Sleeper() : pid_(::fork()) {
        if (pid_ == 0) {
            for (;;) ::pause();
        }
        ::setpgid(pid_, pid_);
    }
    ~Sleeper() {
        if (pid_ > 0) {
            ::kill(pid_, SIGKILL);
            ::waitpid(pid_, nullptr, 0);
        }
    }
    Sleeper(const Sleeper&) = delete;
    Sleeper& operator=(const Sleeper&) = delete;

    pid_t pid() const { return pid_; }
    bool alive() const { return ::waitpid(pid_, nullptr, WNOHANG) == 0; }
    // Waits; the test's own time limit is the deadline.
    int killed_by() {
        int status = 0;
        ::waitpid(std::exchange(pid_, -1), &status, 0);
        return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    }

private:
    pid_t pid_;
};

class WatchdogTest : public ::testing::Test {
protected:
    void SetUp() override {
        ::signal(SIGPIPE, SIG_IGN);
        auto started = Watchdog::start();
        ASSERT_TRUE(started) << started.error().message;
        watchdog = std::move(*started);
    }
    std::unique_ptr<Watchdog> watchdog;
};

TEST_F(WatchdogTest, WhatIsWatchedIsKilledAtTheEndAndNothingElse) {
    Sleeper watched, forgotten, unknown;
    EXPECT_TRUE(watchdog->watch(watched.pid()));
    EXPECT_TRUE(watchdog->watch(forgotten.pid()));
    watchdog->forget(forgotten.pid());
    watchdog->stop();
    EXPECT_EQ(watched.killed_by(), SIGKILL);
    EXPECT_TRUE(forgotten.alive());
    EXPECT_TRUE(unknown.alive());
    watchdog->stop();
}

TEST_F(WatchdogTest, HoldsNothingOpen) {
    int fds[2];
    ASSERT_EQ(::pipe(fds), 0);
    UniqueFd reader(fds[0]), writer(fds[1]);
    auto second = Watchdog::start();
    ASSERT_TRUE(second);
    writer.reset();
    pollfd p{reader.get(), POLLIN, 0};
    constexpr int kWaitMs = 60'000;
    ASSERT_EQ(::poll(&p, 1, kWaitMs), 1);
    char byte = 0;
    EXPECT_EQ(::read(reader.get(), &byte, 1), 0);
}

TEST_F(WatchdogTest, SomebodyKilledItIsSaid) {
    EXPECT_TRUE(watchdog->watch(Sleeper().pid()));
    ::kill(watchdog->pid(), SIGKILL);
    siginfo_t info{};
    ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(watchdog->pid()), &info, WEXITED | WNOWAIT), 0);
    EXPECT_FALSE(watchdog->watch(::getpid()));
}

}  // namespace
}  // namespace drover
