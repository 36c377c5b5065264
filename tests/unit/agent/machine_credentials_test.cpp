// Polls and reports have the same credentials: what one of them finds out is news for the other, in virtual time.
#include "machine_fixture.hpp"

namespace drover::agent {
namespace {

using namespace std::chrono_literals;

// As of a file: they have changed for as long as no request had the new ones.
class TwoLines : public MachineTest {
protected:
    void poll() override {
        MachineTest::poll();
        changed = false;
    }
    void report(const std::string& body) override {
        MachineTest::report(body);
        changed = false;
    }
    bool reload_credentials() override { return changed; }
    void have_a_report_denied() {
        finished("START");
        ASSERT_EQ(reports.size(), 1U);
        answer_report(401);
    }
};

TEST_F(TwoLines, WhatThePollFindsIsNewsForADeniedReport) {
    deliver("START");
    answer_poll(401);
    pass(10s);
    have_a_report_denied();
    changed = true;
    pass(21s);
    EXPECT_EQ(polls, answered + 1) << "looked for every 30 s";
    EXPECT_EQ(reports.size(), 2U) << "the poll has them, so that nothing new is ever found";
}

TEST_F(TwoLines, APollThatIsNotDeniedTakesNoNewsAway) {
    deliver("START");
    pass(10s);
    have_a_report_denied();
    changed = true;
    pass(20s);
    EXPECT_EQ(polls, answered + 1);
    EXPECT_EQ(reports.size(), 2U);
}

TEST_F(TwoLines, AReportThatIsUnderWayWithOldCredentialsIsSentAgainSoon) {
    deliver("START");
    finished("START");
    pass(30s);
    answer_poll(401);
    changed = true;
    pass(30s);  // the poll has the new ones
    answer_report(401);
    EXPECT_EQ(reports.size(), 1U);
    pass(1s);
    EXPECT_EQ(reports.size(), 2U);
}

}  // namespace
}  // namespace drover::agent
