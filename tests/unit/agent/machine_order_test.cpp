// What comes before what: over restarts, over writes that fail, and for what came after a STOP; in virtual time.
#include "machine_fixture.hpp"

namespace drover::agent {
namespace {

using namespace std::chrono_literals;

TEST_F(MachineTest, AStopEndsNothingThatCameAfterIt) {
    Entry entry;
    entry.command.key = kStop;
    entry.order = 1;
    ledger.entries[kStop] = entry;
    entry.command.key = kStart;
    entry.order = 2;
    ledger.entries[kStart] = entry;
    restart();
    EXPECT_EQ(executed, (std::vector{kStop, kStart}));
}

TEST_F(MachineTest, TheOrderGoesOnAfterARestart) {
    deliver("START", "z");
    finished("START", "z");
    restart();
    deliver("UPLOAD_LOG", "a");
    finished("UPLOAD_LOG", "a");
    const auto& first = ledger.entries.at({"START", "z"});
    const auto& second = ledger.entries.at({"UPLOAD_LOG", "a"});
    EXPECT_LT(first.order, second.order);
    EXPECT_LT(first.done_order, second.done_order);
}

TEST_F(MachineTest, NothingBeginsBeforeTheResultBeforeItIsWritten) {
    deliver("START");
    deliver("SYNC");
    ledger.failures = 1;
    finished("START");
    EXPECT_EQ(executed, std::vector{kStart});
    pass(1s);
    EXPECT_EQ(executed, (std::vector{kStart, kSync}));
}

TEST_F(MachineTest, WhatIsToBeSentAgainIsNotForgottenBeforeItIsAccepted) {
    deliver("START");
    finished("START");
    answer_report(200);
    pass(30s);
    deliver("START");
    answer_report(503);
    idle();
    EXPECT_TRUE(ledger.entries.contains(kStart));
    EXPECT_EQ(reports.size(), 3U);
    answer_report(200);
    idle();
    EXPECT_TRUE(ledger.entries.empty());
}

}  // namespace
}  // namespace drover::agent
