// When an agent tries again, and when it does not, in virtual time.
#include "machine_fixture.hpp"

namespace drover::agent {
namespace {

using namespace std::chrono_literals;

TEST_F(MachineTest, NetworkErrors429And5xxBackOffUpTo5Minutes) {
    for (const int status : {0, 429, 500, 503}) {
        idle();
        pass(30s);
        for (const auto wait : {1s, 2s, 4s, 8s, 16s, 32s, 64s, 128s, 256s, 300s, 300s}) {
            answer_poll(status);
            EXPECT_EQ(machine->next() - now, wait) << status;
        }
        answer_poll(200, "{}");
        EXPECT_EQ(machine->next() - now, 30s);
    }
    EXPECT_EQ(reloads, 0);
}

TEST_F(MachineTest, ABadBodyBacksOffToo) {
    answer_poll(200, "<html>");
    EXPECT_EQ(machine->next() - now, 1s);
    EXPECT_TRUE(executed.empty());
}

TEST_F(MachineTest, DeniedReadsTheCredentialsAgainAndRetriesSlowly) {
    for (const int status : {401, 403}) {
        const auto before = polls;
        answer_poll(status);
        EXPECT_GE(reloads, 1);
        const auto asked = polls;
        pass(299s);
        EXPECT_EQ(polls, asked);
        pass(1s);
        EXPECT_EQ(polls, asked + 1);
        EXPECT_GT(polls, before);
    }
}

TEST_F(MachineTest, NewCredentialsAreTriedSoon) {
    changed = true;
    answer_poll(401);
    EXPECT_EQ(machine->next() - now, 1s) << "others were there already";
    answer_poll(401);
    const auto asked = polls;
    pass(45s);
    EXPECT_EQ(polls, asked);
    changed = true;
    pass(20s);
    EXPECT_EQ(polls, asked + 1) << "looked for every 30 s";
}

TEST_F(MachineTest, NotFoundRetriesSlowly) {
    answer_poll(404);
    EXPECT_EQ(machine->next() - now, 300s);
    answer_poll(302);
    EXPECT_EQ(machine->next() - now, 300s);
}

TEST_F(MachineTest, ReportsAreTheSameBytesUntil2xx) {
    deliver("START");
    finished("START");
    for (const int status : {0, 500, 404, 401, 429}) {
        answer_report(status);
        pass(300s);
    }
    ASSERT_EQ(reports.size(), 6U);
    for (const auto& body : reports) EXPECT_EQ(body, reports[0]);
    answer_report(204);
    EXPECT_EQ(ledger.state(kStart), EntryState::reported);
}

TEST_F(MachineTest, A400IsFinal) {
    deliver("START");
    finished("START");
    answer_report(400);
    EXPECT_EQ(ledger.state(kStart), EntryState::rejected);
    pass(3600s);
    deliver("START");
    pass(3600s);
    EXPECT_EQ(reports.size(), 1U);
    EXPECT_EQ(executed.size(), 1U);
    idle();
    EXPECT_TRUE(ledger.entries.empty());
}

TEST_F(MachineTest, AReportThatFailsHoldsUpNoPollAndNoCommand) {
    deliver("START");
    finished("START");
    answer_report(500);
    deliver("UPLOAD_LOG");
    EXPECT_EQ(executed.size(), 2U);
}

}  // namespace
}  // namespace drover::agent
