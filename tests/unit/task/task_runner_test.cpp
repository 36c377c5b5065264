#include "task/task_runner.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <future>
#include <map>

#include "store/sqlite_store.hpp"
#include "support/fake_phones.hpp"
#include "support/memory_task_store.hpp"
#include "support/temp_dir.hpp"

namespace drover::task {
namespace {

using namespace std::chrono_literals;
using store::JobState;

class Runner : public ::testing::Test {
protected:
    Result<store::TaskRecord> submit(std::vector<std::string> ids, std::string command = "true") {
        TaskRequest request;
        request.tenant = "t";
        request.command = std::move(command);
        request.instance_ids = std::move(ids);
        std::promise<Result<store::TaskRecord>> accepted;
        runner->submit(std::move(request), [&](Result<store::TaskRecord> r) { accepted.set_value(std::move(r)); });
        return accepted.get_future().get();
    }
    Result<void> cancel(const std::string& id) {
        std::promise<Result<void>> done;
        runner->cancel(id, [&](Result<void> r) { done.set_value(std::move(r)); });
        return done.get_future().get();
    }
    void make(RunnerOptions o) {
        runner.reset();
        runner = std::make_unique<TaskRunner>(phones, *tasks, o);
        ASSERT_TRUE(runner->recover());
        runner->start();
    }
    RunnerOptions options() {
        RunnerOptions o;
        o.retry = 1ms;
        return o;
    }
    store::TaskRecord find(const std::string& id) { return **tasks->find(id); }

    test::FakePhones phones{{"a", "b", "c"}};
    test::MemoryTaskStore memory;
    store::TaskStore* tasks = &memory;
    std::unique_ptr<TaskRunner> runner;
};

TEST_F(Runner, RunsEachJobOnceAndKeepsItsResult) {
    phones.say["b"].code = Code::command_failed;
    phones.say["b"].exit_code = 3;
    make(options());
    const auto task = submit({"b", "a"}, "ls -l /system");
    ASSERT_TRUE(task);
    EXPECT_EQ(task->task_id.size(), 32U);
    runner->stop(10s);
    EXPECT_EQ(phones.opened(), (std::vector<std::string>{"b ls -l /system", "a ls -l /system"}));
    const auto found = find(task->task_id);
    EXPECT_TRUE(found.ended_ms);
    EXPECT_EQ(found.jobs[0].result.code, Code::command_failed);
    EXPECT_EQ(found.jobs[0].result.exit_code, 3);
    EXPECT_EQ(found.jobs[1].result.execute_msg, "out of a");
    EXPECT_EQ(runner->open_jobs(), 0U);
}

TEST_F(Runner, MarksRunningBeforeItOpens) {
    phones.hold = true;
    make(options());
    const auto task = submit({"a"});
    phones.wait_opened(1);
    EXPECT_EQ(find(task->task_id).jobs[0].state, JobState::running);
    phones.release();
    runner->stop(10s);
    EXPECT_EQ(find(task->task_id).jobs[0].state, JobState::ended);
}

TEST_F(Runner, ADiskThatTakesNothingRefusesNewTasks) {
    make(options());
    memory.fail_next(1);
    const auto refused = submit({"a"});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::store_failed);
    EXPECT_TRUE(phones.opened().empty());
    EXPECT_EQ(runner->open_jobs(), 0U);
    EXPECT_TRUE(submit({"a"}));
}

TEST_F(Runner, NothingOpensUntilItIsMarkedAndResultsWaitForTheDisk) {
    phones.hold = true;
    make(options());
    const auto task = submit({"a"});
    phones.wait_opened(1);
    memory.fail_next(3);  // of the result
    phones.release();
    runner->stop(10s);
    EXPECT_EQ(memory.failures_left(), 0);
    EXPECT_EQ(find(task->task_id).jobs[0].result.code, Code::ok);
    EXPECT_EQ(phones.opened().size(), 1U);
}

TEST_F(Runner, ATaskThatCannotBeMarkedRunsOnceItCan) {
    make(options());
    memory.fail_next_marks(3);
    const auto task = submit({"a"});
    ASSERT_TRUE(task);
    phones.wait_opened(1);
    runner->stop(10s);
    EXPECT_EQ(phones.opened().size(), 1U);
    EXPECT_EQ(find(task->task_id).jobs[0].result.code, Code::ok);
}

TEST_F(Runner, ATaskThatCannotBeMarkedIsCancelledUnbegun) {
    auto o = options();
    o.retry = 1h;
    make(o);
    memory.fail_next_marks(1);
    const auto task = submit({"a"});
    ASSERT_TRUE(task);
    ASSERT_TRUE(cancel(task->task_id));
    runner->stop(0s);
    EXPECT_TRUE(phones.opened().empty());
    EXPECT_EQ(find(task->task_id).jobs[0].result.code, Code::cancelled);
}

// It never began, so it is not interrupted: on disk it is queued, and goes on after the next start.
TEST_F(Runner, ATaskThatCannotBeMarkedStaysQueuedAtTheStop) {
    auto o = options();
    o.retry = 1h;
    make(o);
    memory.fail_next_marks(1);
    const auto task = submit({"a"});
    ASSERT_TRUE(task);
    runner->stop(0s);
    EXPECT_EQ(runner->running_tasks(), 0U);
    EXPECT_EQ(find(task->task_id).jobs[0].state, JobState::queued);
    make(options());
    phones.wait_opened(1);
    runner->stop(10s);
    EXPECT_EQ(find(task->task_id).jobs[0].result.code, Code::ok);
}

TEST_F(Runner, ATaskThatCannotBeMarkedIsNotBegunWhileOthersAreDrained) {
    phones.hold = true;
    make(options());
    const auto first = submit({"a"});
    phones.wait_opened(1);
    memory.fail_next_marks(1'000'000);
    const auto second = submit({"b"});
    runner->hold();
    phones.release();
    runner->stop(10s);
    EXPECT_EQ(find(first->task_id).jobs[0].result.code, Code::ok);
    EXPECT_EQ(find(second->task_id).jobs[0].state, JobState::queued);
}

// Again and again, also after the store failed to.
TEST_F(Runner, OldTasksAreForgotten) {
    std::promise<void> thrice;
    int asked = 0;
    std::vector<store::Retention> told;
    memory.on_prune = [&](store::Retention keep) -> Result<std::size_t> {
        if (told.size() < 3) told.push_back(keep);
        if (++asked == 3) thrice.set_value();
        return asked == 1 ? fail(Code::store_failed, "disk I/O error") : Result<std::size_t>(1U);
    };
    auto o = options();
    o.prune_every = 1ms;
    o.keep = 5s;
    o.keep_count = 7;
    const auto begin = now_ms();
    make(o);
    thrice.get_future().get();
    runner->stop(10s);
    runner.reset();
    for (const auto& keep : told) {
        EXPECT_GE(keep.ended_before_ms, begin - 5000);
        EXPECT_LE(keep.ended_before_ms, now_ms() - 5000);
        EXPECT_EQ(keep.keep_ended, 7U);
    }
}

TEST_F(Runner, CancelEndsQueuedAndRunningJobs) {
    phones.hold = true;
    auto o = options();
    o.running_tasks_max = 1;
    make(o);
    const auto first = submit({"a"});
    phones.wait_opened(1);
    const auto second = submit({"b"});
    EXPECT_EQ(runner->queued_tasks(), 1U);
    ASSERT_TRUE(cancel(second->task_id));
    EXPECT_EQ(runner->queued_tasks(), 0U);
    ASSERT_TRUE(cancel(first->task_id));
    runner->stop(10s);
    EXPECT_EQ(find(first->task_id).jobs[0].result.code, Code::cancelled);
    EXPECT_EQ(find(second->task_id).jobs[0].result.code, Code::cancelled);
    EXPECT_TRUE(find(second->task_id).cancelled);
    EXPECT_EQ(phones.opened(), (std::vector<std::string>{"a true"})) << "a cancelled job was opened";
}

TEST_F(Runner, StopEndsWhatRunsTooLongAndLeavesTheQueueOnDisk) {
    phones.hold = true;
    auto o = options();
    o.running_tasks_max = 1;
    make(o);
    const auto first = submit({"a"});
    phones.wait_opened(1);
    const auto second = submit({"b"});
    runner->stop(1ms);
    EXPECT_EQ(find(first->task_id).jobs[0].result.code, Code::interrupted);
    EXPECT_EQ(find(second->task_id).jobs[0].state, JobState::queued);
    EXPECT_FALSE(submit({"c"})) << "a task was accepted while stopping";
    phones.hold = false;
    make(options());
    phones.wait_opened(2);
    runner->stop(10s);
    EXPECT_EQ(find(second->task_id).jobs[0].result.code, Code::ok) << "a queued task was not continued";
    EXPECT_EQ(phones.opened(), (std::vector<std::string>{"a true", "b true"}));
}

TEST_F(Runner, WhatIsQueuedAtHoldStaysOnDiskWhileTheRestIsDrained) {
    phones.hold = true;
    auto one = options();
    one.running_tasks_max = 1;
    make(one);
    const auto first = submit({"a"}), second = submit({"b"});
    phones.wait_opened(1);
    runner->hold();
    EXPECT_FALSE(submit({"c"})) << "not accepted, so not lost";
    phones.release();
    runner->stop(10s);
    EXPECT_EQ(find(first->task_id).jobs[0].result.code, Code::ok);
    EXPECT_EQ(find(second->task_id).jobs[0].state, JobState::queued);
    EXPECT_EQ(phones.opened(), (std::vector<std::string>{"a true"}));
}

TEST_F(Runner, WhatWasCancelledBeforeACrashDoesNotRunAfterIt) {
    store::TaskRecord task;
    task.task_id = "t1";
    task.cancelled = true;
    task.jobs = {{"j1", "a", JobState::queued, {}}};
    std::promise<Result<void>> added;
    tasks->add(task, [&](Result<void> r) { added.set_value(std::move(r)); });
    ASSERT_TRUE(added.get_future().get());
    make(options());
    runner->stop(10s);
    EXPECT_TRUE(phones.opened().empty());
    EXPECT_EQ(find("t1").jobs[0].result.code, Code::cancelled);
    EXPECT_TRUE(find("t1").ended_ms);
}

// A job of each kind, as a crash leaves them.
TEST_F(Runner, TheEndOfEachTaskOfAnEarlierRunIsToldWithAllItsJobs) {
    const auto keep = [&](const std::string& id, std::vector<JobState> states) {
        store::TaskRecord task;
        task.task_id = id;
        for (const auto state : states) task.jobs.push_back({id, "a", state, {}});
        std::promise<Result<void>> added;
        tasks->add(task, [&](Result<void> r) { added.set_value(std::move(r)); });
        ASSERT_TRUE(added.get_future().get());
    };
    keep("all running", {JobState::running, JobState::running});
    keep("one ended", {JobState::ended, JobState::running});
    keep("some queued", {JobState::ended, JobState::running, JobState::queued});
    std::map<std::string, std::string> ended;
    std::promise<void> all;
    std::map<Code, int> counted;  // on the runner's loop, as the ends
    auto o = options();
    o.on_result = [&](const store::JobResult& result) { ++counted[result.code]; };
    o.on_end = [&](const store::TaskRecord& task, std::size_t ok, std::size_t failed) {
        ended[task.task_id] += fmt::format("{} ok, {} failed", ok, failed);
        if (ended.size() == 3) all.set_value();
    };
    make(o);
    ASSERT_EQ(all.get_future().wait_for(10s), std::future_status::ready);
    runner->stop(10s);
    EXPECT_EQ(ended, (std::map<std::string, std::string>{{"all running", "0 ok, 2 failed"},
                                                         {"one ended", "1 ok, 1 failed"},
                                                         {"some queued", "2 ok, 1 failed"}}));
    EXPECT_EQ(counted, (std::map<Code, int>{{Code::interrupted, 4}, {Code::ok, 1}})) << "nor twice what had ended";
}

TEST_F(Runner, TasksWaitForTheStart) {
    runner = std::make_unique<TaskRunner>(phones, *tasks, options());
    ASSERT_TRUE(runner->recover());
    const auto task = submit({"a"});
    ASSERT_TRUE(task);
    EXPECT_EQ(runner->queued_tasks(), 1U);
    EXPECT_TRUE(phones.opened().empty());
    runner->start();
    phones.wait_opened(1);
}

TEST_F(Runner, PastTheLimitNewTasksAreRefused) {
    phones.hold = true;
    auto o = options();
    o.open_jobs_max = 2;
    make(o);
    ASSERT_TRUE(submit({"a", "b"}));
    const auto refused = submit({"c"});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::out_of_resources);
    phones.wait_opened(2);  // what opens after the release would be held until the stop gives up
    phones.release();
    runner->stop(10s);
    EXPECT_EQ(runner->open_jobs(), 0U);
}

TEST_F(Runner, ManyTasksOnARealStore) {
    const test::TempDir dir;
    auto sqlite = store::SqliteTaskStore::open(dir / "t.db");
    ASSERT_TRUE(sqlite);
    tasks = sqlite->get();
    make(options());
    std::vector<std::string> ids;
    for (int i = 0; i < 50; ++i) ids.push_back(submit({"a", "b", "c"})->task_id);
    runner->stop(30s);
    // What had not begun when the stop came is continued.
    make(options());
    while (runner->open_jobs() > 0) std::this_thread::yield();
    runner.reset();
    EXPECT_EQ(phones.opened().size(), 150U);
    for (const auto& id : ids) EXPECT_TRUE(find(id).ended_ms) << id;
}

}  // namespace
}  // namespace drover::task
