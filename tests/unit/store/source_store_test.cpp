#include "store/source_store.hpp"

#include <gtest/gtest.h>

#include <future>

#include "support/temp_dir.hpp"

namespace drover::store {
namespace {

class Sources : public ::testing::Test {
protected:
    Sources() {
        open();
        EXPECT_EQ(add("agent-1"), SourceAdded::added);
    }
    void open() {
        store.reset();
        auto file = SqliteFile::open(dir / "drover.db");
        ASSERT_TRUE(file) << file.error().message;
        store = std::make_unique<SourceStore>(std::move(*file));
    }

    template <class T, class F>
    T wait(F&& ask) {
        std::promise<Result<T>> answered;
        ask([&](Result<T> r) { answered.set_value(std::move(r)); });
        auto result = answered.get_future().get();
        EXPECT_TRUE(result) << result.error().message;
        return std::move(*result);
    }
    SourceAdded add(const std::string& id, const std::string& tenant = "") {
        return wait<SourceAdded>([&](auto done) { store->add(Source{id, tenant, 1000, {}, 0, 0}, done); });
    }
    std::pair<CommandAdded, std::int64_t> send(const std::string& name, std::optional<std::string> task = "t1",
                                               std::optional<std::string> bucket = std::nullopt) {
        SourceCommand c;
        c.name = name;
        c.task_id = std::move(task);
        c.bucket = std::move(bucket);
        c.created_ms = 1000;
        return wait<std::pair<CommandAdded, std::int64_t>>([&](auto done) { store->enqueue("agent-1", c, done); });
    }
    // "NAME task", or "" when there is nothing to do.
    std::string take(std::int64_t now = 2000) {
        const auto c = wait<std::optional<SourceCommand>>([&](auto done) { store->take("agent-1", now, done); });
        return c ? c->name + " " + c->task_id.value_or("-") : "";
    }
    ResultTaken report(const std::string& bytes, const std::string& name,
                       std::optional<std::string> task = std::nullopt) {
        const SourceResult r{bytes, name, std::move(task), "success", "{}"};
        return wait<ResultTaken>([&](auto done) { store->accept("agent-1", r, 3000, done); });
    }

    test::TempDir dir;
    std::unique_ptr<SourceStore> store;
};

TEST_F(Sources, AnEmptyQueueGivesNothing) {
    EXPECT_EQ(take(), "");
    EXPECT_FALSE(*store->find("nobody"));
    ASSERT_TRUE(*store->find("agent-1"));
    EXPECT_EQ((*store->find("agent-1"))->polled_ms, 2000);
}

TEST_F(Sources, TheHeadIsRepeatedUntilItsResultAlsoAfterARestart) {
    send("START", "t1");
    send("START", "t2");
    EXPECT_EQ(take(), "START t1");
    EXPECT_EQ(take(), "START t1");
    open();
    EXPECT_EQ(take(), "START t1");
    EXPECT_EQ(report("a", "START", "t1"), ResultTaken::accepted);
    EXPECT_EQ(take(), "START t2");
}

TEST_F(Sources, StopAndDeleteOvertakeWhatWaitsAndWhatIsDelivered) {
    send("START", "t1");
    send("SYNC", "t1");
    EXPECT_EQ(take(), "START t1");
    send("STOP", "t1");
    send("DELETE", "t1");
    EXPECT_EQ(take(), "STOP t1");
    EXPECT_EQ(report("start", "START", "t1"), ResultTaken::accepted) << "delivered before STOP, and ended by it";
    EXPECT_EQ(take(), "STOP t1") << "until its own result";
    EXPECT_EQ(report("stop", "STOP"), ResultTaken::accepted);
    EXPECT_EQ(take(), "DELETE t1");
    EXPECT_EQ(report("delete", "DELETE"), ResultTaken::accepted);
    EXPECT_EQ(take(), "SYNC t1");
}

TEST_F(Sources, AResultEndsTheOldestDeliveredOfItsNameAndTask) {
    send("START", "t1");
    EXPECT_EQ(report("early", "START", "t1"), ResultTaken::unmatched) << "not delivered yet";
    take();
    EXPECT_EQ(report("other task", "START", "t2"), ResultTaken::unmatched);
    EXPECT_EQ(report("other name", "SYNC", "t1"), ResultTaken::unmatched);
    EXPECT_EQ(report("without a task", "START"), ResultTaken::accepted);
    EXPECT_EQ(report("once more", "START"), ResultTaken::unmatched);
}

TEST_F(Sources, AResultThatNamesTheEmptyTaskEndsACommandWithoutOne) {
    send("RSET_LOG_ACL", std::nullopt);
    take();
    EXPECT_EQ(report("an agent always names one", "RSET_LOG_ACL", ""), ResultTaken::accepted);
}

TEST_F(Sources, TheLastAcceptedBytesAgainTakeNothing) {
    send("START", "t1");
    take();
    EXPECT_EQ(report("same", "START"), ResultTaken::accepted);
    send("START", "t2");
    take();
    EXPECT_EQ(report("same", "START"), ResultTaken::repeated);
    EXPECT_EQ(take(), "START t2") << "it was not taken off";
    EXPECT_EQ(report("other", "START"), ResultTaken::accepted);
    EXPECT_EQ(report("same", "START"), ResultTaken::unmatched) << "only the last one counts";
}

// An agent answers a new equal command with the old result until it has seen a poll without that command.
TEST_F(Sources, AfterARepetitionOnePollIsIdle) {
    send("START", "t1");
    take();
    report("same", "START", "t1");
    send("START", "t1");
    EXPECT_EQ(take(), "START t1");
    EXPECT_EQ(report("same", "START", "t1"), ResultTaken::repeated);
    EXPECT_EQ(take(), "");
    EXPECT_EQ(take(), "START t1");
    EXPECT_EQ(report("new", "START", "t1"), ResultTaken::accepted);
    EXPECT_EQ(take(), "");
}

TEST_F(Sources, EqualToOneStillWaitingMerges) {
    const auto first = send("START", "t1");
    EXPECT_EQ(send("START", "t1"), std::pair(CommandAdded::merged, first.second));
    EXPECT_EQ(send("START", std::nullopt).first, CommandAdded::added);
    EXPECT_EQ(send("START", std::nullopt).first, CommandAdded::merged);
    EXPECT_EQ(send("START", "t1", "b").first, CommandAdded::added);
    take();
    EXPECT_EQ(send("START", "t1").first, CommandAdded::added) << "the first one waits no more";
}

TEST_F(Sources, AQueueHasALimit) {
    for (std::size_t i = 0; i < SourceStore::kOpenCommandsMax; ++i)
        ASSERT_EQ(send("START", std::to_string(i)).first, CommandAdded::added);
    EXPECT_EQ(send("START", "more").first, CommandAdded::full);
    EXPECT_EQ(send("START", "1").first, CommandAdded::merged);
}

TEST_F(Sources, ResultsAreKept) {
    send("START", "t1");
    take();
    report("bytes", "START", "t1");
    send("STOP", "t1");
    open();
    const auto all = store->commands("agent-1", 10);
    ASSERT_TRUE(all);
    ASSERT_EQ(all->size(), 2U);
    EXPECT_EQ((*all)[0].state, CommandState::waiting);
    EXPECT_EQ((*all)[1].state, CommandState::done);
    EXPECT_EQ((*all)[1].result, "success");
    EXPECT_EQ((*all)[1].ended_ms, 3000);
    EXPECT_EQ((*store->find("agent-1"))->waiting, 1U);
    EXPECT_EQ(report("bytes", "START", "t1"), ResultTaken::repeated) << "known across a restart";
}

TEST_F(Sources, BelongToWhoAddedThem) {
    EXPECT_EQ(add("agent-1"), SourceAdded::known);
    EXPECT_EQ(add("agent-1", "ci"), SourceAdded::taken);
    EXPECT_EQ(add("agent-2", "ci"), SourceAdded::added);
    EXPECT_EQ(store->list("")->size(), 2U);
    ASSERT_EQ(store->list("ci")->size(), 1U);
    EXPECT_EQ((*store->list("ci"))[0].server_id, "agent-2");
}

}  // namespace
}  // namespace drover::store
