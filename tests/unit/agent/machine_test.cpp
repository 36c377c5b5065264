// The agent's rules, one by one, in virtual time.
#include "machine_fixture.hpp"

namespace drover::agent {
namespace {

using namespace std::chrono_literals;

TEST_F(MachineTest, PollsAtOnceThenEvery30Seconds) {
    EXPECT_EQ(polls, 1);
    idle();
    pass(29s);
    EXPECT_EQ(polls, 1);
    pass(1s);
    EXPECT_EQ(polls, 2);
    pass(300s);
    EXPECT_EQ(polls, 2) << "one in flight";
}

TEST_F(MachineTest, JitterIsTenPercentEitherWay) {
    chance = 0;
    idle();
    EXPECT_EQ(machine->next() - now, 27s);
    pass(27s);
    chance = 1;
    idle();
    EXPECT_EQ(machine->next() - now, 33s);
}

TEST_F(MachineTest, EachStepIsWrittenBeforeWhatItAllows) {
    deliver("START");
    ASSERT_EQ(executed, std::vector{kStart});
    EXPECT_EQ(ledger.state(kStart), EntryState::running);
    EXPECT_TRUE(reports.empty());
    finished("START");
    EXPECT_EQ(ledger.state(kStart), EntryState::done);
    ASSERT_EQ(reports.size(), 1U);
    EXPECT_EQ(reports[0], ledger.entries.at(kStart).report);
    answer_report(200);
    EXPECT_EQ(ledger.state(kStart), EntryState::reported);
}

TEST_F(MachineTest, NothingIsExecutedThatIsNotWrittenDown) {
    ledger.failures = 1;
    deliver("START");
    EXPECT_TRUE(executed.empty()) << "`received` was not written";
    EXPECT_EQ(machine->entries(), 0U);
    ledger.spare = 1;
    ledger.failures = 1;
    deliver("START");
    EXPECT_TRUE(executed.empty()) << "`running` was not written";
    EXPECT_EQ(ledger.state(kStart), EntryState::received);
    pass(1s);
    EXPECT_EQ(executed, std::vector{kStart});
    EXPECT_EQ(ledger.state(kStart), EntryState::running);
}

TEST_F(MachineTest, AResultIsNotReportedBeforeItIsWritten) {
    deliver("START");
    ledger.failures = 2;
    finished("START");
    EXPECT_TRUE(reports.empty());
    EXPECT_EQ(ledger.state(kStart), EntryState::running);
    pass(1s);
    EXPECT_TRUE(reports.empty());
    pass(1s);
    EXPECT_EQ(reports.size(), 1U);
    EXPECT_EQ(ledger.state(kStart), EntryState::done);
}

TEST_F(MachineTest, TheSameAgainWhileItRunsIsIgnored) {
    deliver("START");
    for (int i = 0; i < 5; ++i) deliver("START");
    EXPECT_EQ(executed.size(), 1U);
    EXPECT_TRUE(reports.empty());
}

TEST_F(MachineTest, TheSameAgainAfterTheReportSendsTheStoredResult) {
    deliver("START");
    finished("START");
    answer_report(200);
    pass(30s);
    deliver("START");
    ASSERT_EQ(reports.size(), 2U);
    EXPECT_EQ(reports[0], reports[1]) << "to the byte";
    EXPECT_EQ(executed.size(), 1U) << "nothing runs again";
    answer_report(200);
    idle();
    EXPECT_EQ(machine->entries(), 0U);
}

TEST_F(MachineTest, TheKeyIsClearedByAPollThatBringsAnotherOrNone) {
    deliver("START");
    finished("START");
    answer_report(200);
    pass(30s);
    deliver("STOP");
    EXPECT_FALSE(ledger.entries.contains(kStart));
    finished("STOP");
    answer_report(200);
    pass(30s);
    idle();
    EXPECT_TRUE(ledger.entries.empty());
    deliver("START");
    EXPECT_EQ(executed, (std::vector{kStart, kStop, kStart})) << "a new command of the same key";
}

TEST_F(MachineTest, APollThatBeganBeforeTheReportWasAcceptedClearsNothing) {
    deliver("START");
    pass(30s);
    ASSERT_EQ(polls, 2);  // under way
    finished("START");
    answer_report(200);
    deliver("START");
    EXPECT_EQ(reports.size(), 1U) << "the answer may be older than the report";
    EXPECT_TRUE(ledger.entries.contains(kStart));
    pass(30s);
    idle();
    EXPECT_TRUE(ledger.entries.empty());
}

TEST_F(MachineTest, AnOlderAnswerWithoutTheCommandClearsNothingEither) {
    deliver("START");
    pass(30s);
    finished("START");
    answer_report(200);
    idle();  // as it was before the report came
    EXPECT_TRUE(ledger.entries.contains(kStart));
    deliver("START");
    EXPECT_EQ(executed.size(), 1U);
    EXPECT_EQ(reports.size(), 2U);
}

TEST_F(MachineTest, ReportsGoInTheOrderOfEnding) {
    deliver("UPLOAD_LOG", "x");
    finished("UPLOAD_LOG", "x");  // its report is under way
    deliver("START", "a");
    deliver("START", "b");
    finished("START", "b");
    finished("START", "a");
    answer_report(200);
    answer_report(200);
    answer_report(200);
    ASSERT_EQ(reports.size(), 3U);
    EXPECT_NE(reports[1].find(R"("task_id":"b")"), std::string::npos);
    EXPECT_NE(reports[2].find(R"("task_id":"a")"), std::string::npos);
}

TEST_F(MachineTest, NotAccepted_NotCleared) {
    deliver("START");
    finished("START");
    answer_report(503);
    pass(30s);
    idle();
    EXPECT_EQ(ledger.state(kStart), EntryState::done);
}

TEST_F(MachineTest, WhatWasRunningInACrashIsReportedAsFailedAndNotRun) {
    deliver("START");
    restart();
    EXPECT_TRUE(executed.empty());
    ASSERT_EQ(reports.size(), 1U);
    EXPECT_NE(reports[0].find(R"("result":"fail")"), std::string::npos);
    EXPECT_NE(reports[0].find("interrupted"), std::string::npos);
    restart();
    ASSERT_EQ(reports.size(), 1U) << "told until it is accepted";
    EXPECT_EQ(reports[0], ledger.entries.at(kStart).report);
}

TEST_F(MachineTest, WhatWasReceivedInACrashIsRunOnce) {
    Entry entry;
    entry.command.key = kStart;
    entry.order = 1;
    ledger.entries[kStart] = entry;
    restart();
    EXPECT_EQ(executed, std::vector{kStart});
    deliver("START");
    EXPECT_EQ(executed.size(), 1U);
}

TEST_F(MachineTest, WhatWasDoneInACrashIsReportedWithTheSameBytes) {
    deliver("START");
    finished("START");
    const auto bytes = reports.at(0);
    restart();
    EXPECT_EQ(reports, std::vector{bytes});
    EXPECT_TRUE(executed.empty());
}

TEST_F(MachineTest, WhatWasReportedInACrashIsSentAgainOnlyWhenAskedFor) {
    deliver("START");
    finished("START");
    const auto bytes = reports.at(0);
    answer_report(200);
    restart();
    EXPECT_TRUE(reports.empty());
    deliver("START");
    EXPECT_EQ(reports, std::vector{bytes});
    answer_report(200);
    restart();
    idle();
    EXPECT_TRUE(ledger.entries.empty());
}

TEST_F(MachineTest, StopLandsWhileStartRuns) {
    deliver("START");
    pass(30s);
    deliver("STOP");
    EXPECT_EQ(executed, (std::vector{kStart, kStop}));
    finished("START", "t1", false);
    finished("STOP");
    ASSERT_EQ(reports.size(), 1U);
    EXPECT_NE(reports[0].find("START"), std::string::npos) << "in the order of ending";
    answer_report(200);
    ASSERT_EQ(reports.size(), 2U);
    EXPECT_NE(reports[1].find("STOP"), std::string::npos);
}

TEST_F(MachineTest, StopCancelsWhatHasNotBegun) {
    deliver("START");
    deliver("SYNC");
    EXPECT_EQ(executed, std::vector{kStart}) << "one after the other for one task";
    deliver("STOP");
    EXPECT_EQ(executed, (std::vector{kStart, kStop}));
    EXPECT_EQ(ledger.state(kSync), EntryState::done);
    EXPECT_NE(ledger.entries.at(kSync).report.find("cancelled"), std::string::npos);
    finished("START", "t1", false);
    finished("STOP");
    EXPECT_EQ(executed.size(), 2U) << "SYNC never begins";
}

TEST_F(MachineTest, OneTaskRunsOneAtATimeAndTasksUpToTheLimit) {
    deliver("START", "a");
    deliver("SYNC", "a");
    deliver("START", "b");
    deliver("START", "c");
    EXPECT_EQ(executed, (std::vector<Key>{{"START", "a"}, {"START", "b"}}));
    finished("START", "a");
    EXPECT_EQ(executed.back(), (Key{"SYNC", "a"})) << "received before START of c";
    finished("START", "b");
    EXPECT_EQ(executed.back(), (Key{"START", "c"}));
}

TEST_F(MachineTest, AfterAStopOnlyWhatEndsIsWrittenDown) {
    deliver("START");
    machine->stop();
    finished("START", "t1", false);
    EXPECT_EQ(ledger.state(kStart), EntryState::done);
    EXPECT_TRUE(reports.empty());
    EXPECT_EQ(machine->next(), TimePoint::max());
    restart();
    EXPECT_EQ(reports.size(), 1U);
}

TEST_F(MachineTest, ThereIsAnEndToWhatIsTaken) {
    for (std::size_t i = 0; i < Machine::kEntriesMax; ++i) deliver("START", std::to_string(i));
    EXPECT_EQ(machine->entries(), Machine::kEntriesMax);
    deliver("START", "more");
    EXPECT_EQ(machine->entries(), Machine::kEntriesMax) << "it stays with the controller";
}

// Any order of crashes, lost answers and repetitions: nothing runs twice, and every command that was taken is told once at least.
TEST_F(MachineTest, SeededFaultsNeverRunACommandTwice) {
    for (unsigned seed = 1; seed <= 300; ++seed) {
        unsigned state = seed * 2654435761U;
        const auto roll = [&](unsigned n) {
            state = state * 1664525U + 1013904223U;
            return (state >> 16) % n;
        };
        ledger = {};
        restart();
        std::map<Key, int> ran;
        std::map<Key, std::set<std::string>> told;
        const std::vector<Key> all{kStart, kStop, kSync, {"UPLOAD_LOG", "t1"}, {"START", "t2"}};
        const auto note = [&] {
            for (const auto& key : std::exchange(executed, {})) ++ran[key];
        };
        for (int step = 0; step < 60; ++step) {
            ledger.failures = roll(10) == 0 ? 1 : 0;
            const auto& key = all[roll(static_cast<unsigned>(all.size()))];
            switch (roll(5)) {
                case 0: deliver(key.name, key.task_id); break;
                case 1: finished(key.name, key.task_id, roll(2) == 0); break;
                case 2:
                    if (!reports.empty()) {
                        const auto body = reports.back();
                        for (const auto& k : all) {
                            if (body == (ledger.entries.contains(k) ? ledger.entries[k].report : ""))
                                told[k].insert(body);
                        }
                        // Never accepted, so that no key is cleared and no second run is right.
                        answer_report(roll(2) == 0 ? 500 : 0);
                    }
                    break;
                case 3: pass(Seconds(roll(400))); break;
                default:
                    if (roll(4) == 0) {
                        note();
                        ledger.failures = 0;
                        restart();
                    }
            }
            note();
        }
        for (const auto& [key, times] : ran) EXPECT_EQ(times, 1) << to_string(key) << ", seed " << seed;
        for (const auto& [key, bodies] : told) EXPECT_EQ(bodies.size(), 1U) << to_string(key) << ", seed " << seed;
    }
}

}  // namespace
}  // namespace drover::agent
