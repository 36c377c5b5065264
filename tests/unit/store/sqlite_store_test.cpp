#include "store/sqlite_store.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "store/schema.hpp"
#include "support/temp_dir.hpp"
#include "task_samples.hpp"

namespace drover::store {
namespace {

class SqliteStore : public ::testing::Test {
protected:
    SqliteStore() { open(); }
    void open() {
        store.reset();
        auto opened = SqliteTaskStore::open(file());
        ASSERT_TRUE(opened) << opened.error().message;
        store = std::move(*opened);
    }
    std::filesystem::path file() const { return dir / "drover.db"; }

    test::TempDir dir;
    std::unique_ptr<SqliteTaskStore> store;
};

TEST_F(SqliteStore, GivesBackWhatWasAdded) {
    const auto task = sample_task(1);
    ASSERT_TRUE(add(*store, task));
    open();
    const auto found = store->find(task.task_id);
    ASSERT_TRUE(found && *found);
    EXPECT_EQ((*found)->command, task.command);
    EXPECT_EQ((*found)->tenant, "t");
    EXPECT_EQ((*found)->timeout_ms, 1000);
    EXPECT_FALSE((*found)->ended_ms);
    ASSERT_EQ((*found)->jobs.size(), 2U);
    EXPECT_EQ((*found)->jobs[1].job_id, task.jobs[1].job_id);
    EXPECT_EQ((*found)->jobs[1].instance_id, "phone-1");
    EXPECT_EQ((*found)->jobs[0].state, JobState::queued);
}

TEST_F(SqliteStore, UnknownTaskIsNothing) {
    const auto found = store->find("f00");
    ASSERT_TRUE(found);
    EXPECT_FALSE(*found);
}

TEST_F(SqliteStore, SameIdTwiceIsRefused) {
    ASSERT_TRUE(add(*store, sample_task(1)));
    EXPECT_EQ(add(*store, sample_task(1)).error().code, Code::store_failed);
}

TEST_F(SqliteStore, KeepsResultsToTheByte) {
    const auto task = sample_task(1);
    ASSERT_TRUE(add(*store, task));
    ASSERT_TRUE(run_jobs(*store, task.task_id, {0, 1}));
    JobResult result;
    result.code = Code::command_failed;
    result.error_msg = "Run command failed: exit code 3";
    result.execute_msg = std::string("a\0b\xc3\xa9\n", 6);
    result.exit_code = 3;
    result.output_bytes = 5'000'000'000;
    result.truncated = true;
    result.attempts = 1;
    result.ms = 77;
    ASSERT_TRUE(finish(*store, task.task_id, 0, result));
    auto found = store->find(task.task_id);
    ASSERT_TRUE(found && *found);
    EXPECT_EQ((*found)->jobs[1].state, JobState::running);
    EXPECT_FALSE((*found)->ended_ms);
    const auto& job = (*found)->jobs[0];
    EXPECT_EQ(job.state, JobState::ended);
    EXPECT_EQ(job.result.code, Code::command_failed);
    EXPECT_EQ(job.result.error_msg, result.error_msg);
    EXPECT_EQ(job.result.execute_msg, result.execute_msg);
    EXPECT_EQ(job.result.exit_code, 3);
    EXPECT_EQ(job.result.output_bytes, 5'000'000'000);
    EXPECT_TRUE(job.result.truncated);
    EXPECT_EQ(job.result.ms, 77U);

    ASSERT_TRUE(finish(*store, task.task_id, 1));
    found = store->find(task.task_id);
    EXPECT_EQ((*found)->ended_ms, 3000);
    EXPECT_EQ((*found)->jobs[1].result.exit_code, std::nullopt);
}

TEST_F(SqliteStore, AnEndedJobStaysAsItEnded) {
    const auto task = sample_task(1);
    ASSERT_TRUE(add(*store, task));
    JobResult first;
    first.code = Code::timeout;
    ASSERT_TRUE(finish(*store, task.task_id, 0, first));
    ASSERT_TRUE(finish(*store, task.task_id, 0, JobResult{}));
    EXPECT_EQ((*store->find(task.task_id))->jobs[0].result.code, Code::timeout);
}

TEST_F(SqliteStore, OnlyQueuedJobsBecomeRunning) {
    const auto task = sample_task(1);
    ASSERT_TRUE(add(*store, task));
    ASSERT_TRUE(run_jobs(*store, task.task_id, {0}));
    EXPECT_FALSE(run_jobs(*store, task.task_id, {1, 0}));
    EXPECT_EQ((*store->find(task.task_id))->jobs[1].state, JobState::queued) << "half of a refused change stayed";
}

TEST_F(SqliteStore, RecoverEndsRunningJobsAndGivesBackQueuedOnes) {
    ASSERT_TRUE(add(*store, sample_task(1)));
    ASSERT_TRUE(add(*store, sample_task(2)));
    ASSERT_TRUE(add(*store, sample_task(3)));
    ASSERT_TRUE(run_jobs(*store, sample_task(1).task_id, {0, 1}));
    ASSERT_TRUE(run_jobs(*store, sample_task(2).task_id, {0}));
    open();
    const auto found = store->recover(9000);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->interrupted, 3U);
    const auto* const open_tasks = &found->tasks;
    ASSERT_EQ(open_tasks->size(), 3U);
    const auto& first = (*open_tasks)[0];
    EXPECT_EQ(first.task_id, sample_task(1).task_id);
    EXPECT_EQ(first.ended_ms, 9000);
    EXPECT_EQ(first.jobs[1].result.code, Code::interrupted);
    EXPECT_EQ(first.jobs[1].result.attempts, 1U) << "it may have been opened";
    EXPECT_EQ((*open_tasks)[1].task_id, sample_task(2).task_id);
    EXPECT_FALSE((*open_tasks)[1].ended_ms);
    EXPECT_EQ((*open_tasks)[1].jobs[0].state, JobState::ended);
    EXPECT_EQ((*open_tasks)[1].jobs[0].result.code, Code::interrupted);
    EXPECT_EQ((*open_tasks)[1].jobs[1].state, JobState::queued);
    EXPECT_EQ((*open_tasks)[2].task_id, sample_task(3).task_id);
    EXPECT_EQ((*store->find(sample_task(1).task_id))->ended_ms, 9000);
    open();
    const auto again = store->recover(9500);
    EXPECT_EQ(again->tasks.size(), 2U) << "what has ended is told once";
    EXPECT_EQ(again->interrupted, 0U);
}

TEST_F(SqliteStore, ListsTheYoungestFirstOfOneTenant) {
    ASSERT_TRUE(add(*store, sample_task(1, 2, "a")));
    ASSERT_TRUE(add(*store, sample_task(2, 3, "b")));
    ASSERT_TRUE(add(*store, sample_task(3, 1, "a")));
    ASSERT_TRUE(run_jobs(*store, sample_task(1).task_id, {0}));
    const auto all = store->list("", 10);
    ASSERT_TRUE(all);
    ASSERT_EQ(all->size(), 3U);
    EXPECT_EQ((*all)[1].queued, 3U);
    const auto of_a = store->list("a", 10);
    ASSERT_EQ(of_a->size(), 2U);
    EXPECT_EQ((*of_a)[0].task_id, sample_task(3).task_id);
    EXPECT_EQ((*of_a)[1].running, 1U);
    EXPECT_EQ(store->list("", 1)->size(), 1U);
}

TEST_F(SqliteStore, ForgetsByAgeAndByCountButNeverAnOpenTask) {
    for (int i = 1; i <= 5; ++i) ASSERT_TRUE(add(*store, sample_task(i, 1)));
    for (int i = 1; i <= 4; ++i) ASSERT_TRUE(finish(*store, sample_task(i).task_id, 0, {}, 3000 + i));
    EXPECT_EQ(prune(*store, {3002, 100}), 1U);  // task 1 is too old
    EXPECT_FALSE(*store->find(sample_task(1).task_id));
    EXPECT_EQ(prune(*store, {0, 2}), 1U);  // task 2 is beyond the count
    EXPECT_FALSE(*store->find(sample_task(2).task_id));
    EXPECT_EQ(prune(*store, {99999, 0}), 2U);
    EXPECT_TRUE(*store->find(sample_task(5).task_id)) << "an open task was forgotten";
}

TEST_F(SqliteStore, IsNobodyElsesBusiness) {
    struct stat info {};
    ASSERT_EQ(::stat(file().c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600U);
}

TEST_F(SqliteStore, ASecondProcessIsRefused) {
    const auto second = SqliteTaskStore::open(file());
    ASSERT_FALSE(second);
    EXPECT_NE(second.error().message.find("another drover uses this task store"), std::string::npos)
        << second.error().message;
}

TEST(Schema, ANewerFileIsRefusedAndLeftAlone) {
    const test::TempDir dir;
    {
        auto db = Database::open(dir / "x.db", Database::Mode::read_write);
        ASSERT_TRUE(db->execute("CREATE TABLE later (x); PRAGMA user_version = 99"));
    }
    const auto opened = SqliteTaskStore::open(dir / "x.db");
    ASSERT_FALSE(opened);
    EXPECT_NE(opened.error().message.find("schema version 99"), std::string::npos) << opened.error().message;
    auto db = Database::open(dir / "x.db", Database::Mode::read_only);
    EXPECT_TRUE(db->prepare("SELECT x FROM later"));
}

TEST(Schema, AnOlderFileIsMigratedWithItsTasks) {
    const test::TempDir dir;
    {
        auto store = SqliteTaskStore::open(dir / "x.db");
        ASSERT_TRUE(add(**store, sample_task(7)));
    }
    {
        auto db = Database::open(dir / "x.db", Database::Mode::read_write);
        ASSERT_TRUE(db->execute(
            "DROP INDEX jobs_open; DROP TABLE sources; DROP TABLE source_commands; PRAGMA user_version = 1"));
    }
    auto store = SqliteTaskStore::open(dir / "x.db");
    ASSERT_TRUE(store) << store.error().message;
    EXPECT_TRUE(*(*store)->find(sample_task(7).task_id));
    auto db = Database::open(dir / "x.db", Database::Mode::read_only);
    auto version = db->prepare("PRAGMA user_version");
    ASSERT_TRUE(version->step());
    EXPECT_EQ(version->integer(0), kSchemaVersion);
    auto index = db->prepare("SELECT count(*) FROM sqlite_master WHERE name = 'jobs_open'");
    ASSERT_TRUE(index->step());
    EXPECT_EQ(index->integer(0), 1);
}

TEST(Schema, WhatIsNoDatabaseIsRefused) {
    const test::TempDir dir;
    dir.write("x.db", std::string(5000, 'x'));
    const auto opened = SqliteTaskStore::open(dir / "x.db");
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, Code::store_failed);
}

}  // namespace
}  // namespace drover::store
