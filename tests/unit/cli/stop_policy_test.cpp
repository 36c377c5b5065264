#include "cli/stop_policy.hpp"

#include <gtest/gtest.h>

#include <csignal>

namespace drover::cli {
namespace {

using enum StopAction;
using std::chrono::milliseconds;
constexpr StopPolicy::TimePoint kStart{std::chrono::hours(1)};

TEST(StopPolicy, OnATerminalCtrlCListsThenStopsThenAbandons) {
    StopPolicy policy(true);
    EXPECT_EQ(policy.on_signal(SIGINT, kStart), list);
    EXPECT_EQ(policy.on_signal(SIGINT, kStart + milliseconds(2'000)), stop);
    EXPECT_EQ(policy.on_signal(SIGINT, kStart + milliseconds(2'300)), abandon);
}

TEST(StopPolicy, ASecondCtrlCThatComesLateListsAgain) {
    StopPolicy policy(true);
    EXPECT_EQ(policy.on_signal(SIGINT, kStart), list);
    EXPECT_EQ(policy.on_signal(SIGINT, kStart + milliseconds(2'001)), list);
    EXPECT_EQ(policy.on_signal(SIGINT, kStart + milliseconds(2'100)), stop);
}

TEST(StopPolicy, WithoutATerminalTheFirstStops) {
    StopPolicy policy(false);
    EXPECT_EQ(policy.on_signal(SIGINT, kStart), stop);
    EXPECT_EQ(policy.on_signal(SIGINT, kStart + milliseconds(500)), abandon);
}

TEST(StopPolicy, SigtermAndSighupStopAtOnceEvenOnATerminal) {
    StopPolicy term(true), hup(true), after_list(true);
    EXPECT_EQ(term.on_signal(SIGTERM, kStart), stop);
    EXPECT_EQ(hup.on_signal(SIGHUP, kStart), stop);
    EXPECT_EQ(after_list.on_signal(SIGINT, kStart), list);
    EXPECT_EQ(after_list.on_signal(SIGTERM, kStart + milliseconds(100)), stop);
    EXPECT_EQ(after_list.on_signal(SIGINT, kStart + milliseconds(500)), abandon);
}

TEST(StopPolicy, TheEchoOfTheStoppingSignalDoesNotAbandon) {
    StopPolicy policy(false);
    EXPECT_EQ(policy.on_signal(SIGTERM, kStart), stop);
    EXPECT_EQ(policy.on_signal(SIGTERM, kStart + milliseconds(1)), none);
    EXPECT_EQ(policy.on_signal(SIGTERM, kStart + milliseconds(249)), none);
    EXPECT_EQ(policy.on_signal(SIGTERM, kStart + milliseconds(250)), abandon);
}

TEST(StopPolicy, AnotherSignalIsNoEcho) {
    StopPolicy policy(false);
    EXPECT_EQ(policy.on_signal(SIGTERM, kStart), stop);
    EXPECT_EQ(policy.on_signal(SIGINT, kStart + milliseconds(1)), abandon);
}

}  // namespace
}  // namespace drover::cli
