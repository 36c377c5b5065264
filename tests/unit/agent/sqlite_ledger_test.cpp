#include "agent/sqlite_ledger.hpp"

#include <gtest/gtest.h>

#include "support/temp_dir.hpp"

namespace drover::agent {
namespace {

class LedgerFile : public ::testing::Test {
protected:
    LedgerFile() { open(); }
    void open(const std::string& server_id = "rack 1/left") {
        ledger.reset();
        auto opened = SqliteLedger::open(dir / "agent.db", server_id);
        ASSERT_TRUE(opened) << opened.error().message;
        ledger = std::move(*opened);
    }
    test::TempDir dir;
    std::unique_ptr<SqliteLedger> ledger;
};

TEST_F(LedgerFile, GivesBackWhatWasWrittenToTheByte) {
    Entry second;
    second.command = {{"STOP", ""}, "bucket"};
    second.order = 2;
    Entry first;
    first.command = {{"START", "t1"}, ""};
    first.order = 1;
    ASSERT_TRUE(ledger->put(second));
    ASSERT_TRUE(ledger->put(first));
    first.state = EntryState::done;
    first.done_order = 7;
    first.started_ms = 5;
    first.report = std::string("{\"a\":\"\xc3\xa4\"}");
    ASSERT_TRUE(ledger->put(first));
    open();
    const auto all = ledger->load();
    ASSERT_TRUE(all);
    ASSERT_EQ(all->size(), 2U);
    EXPECT_EQ((*all)[0].command.key, (Key{"START", "t1"}));
    EXPECT_EQ((*all)[0].state, EntryState::done);
    EXPECT_EQ((*all)[0].done_order, 7);
    EXPECT_EQ((*all)[0].started_ms, 5);
    EXPECT_EQ((*all)[0].report, first.report);
    EXPECT_EQ((*all)[1].command.bucket, "bucket");
    ASSERT_TRUE(ledger->erase({"START", "t1"}));
    EXPECT_EQ(ledger->load()->size(), 1U);
}

TEST_F(LedgerFile, IsKeptForEachServerId) {
    Entry entry;
    entry.command.key = {"START", "t1"};
    ASSERT_TRUE(ledger->put(entry));
    ASSERT_TRUE(ledger->record("t1", {{"a", true}}));
    open("other");
    EXPECT_TRUE(ledger->load()->empty());
    EXPECT_TRUE(ledger->ended("t1")->empty());
    open();
    EXPECT_EQ(ledger->load()->size(), 1U);
}

TEST_F(LedgerFile, KnowsHowPhonesEnded) {
    ASSERT_TRUE(ledger->record("t1", {{"a", true}, {"b", false}}));
    ASSERT_TRUE(ledger->record("t2", {{"c", true}}));
    ASSERT_TRUE(ledger->record("t1", {{"b", true}, {"d", false}}));
    open();
    EXPECT_EQ(*ledger->ended("t1"), (std::map<std::string, bool>{{"a", true}, {"b", true}, {"d", false}}));
    ASSERT_TRUE(ledger->forget_task("t1"));
    EXPECT_TRUE(ledger->ended("t1")->empty());
    EXPECT_EQ(ledger->ended("t2")->size(), 1U);
}

TEST_F(LedgerFile, ASecondProcessIsRefused) { EXPECT_FALSE(SqliteLedger::open(dir / "agent.db", "x")); }

}  // namespace
}  // namespace drover::agent
