// Jobs that end before their last step: a limit that passes in `finally`, fail-fast, and what a phone waits for then.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "unit/job/job_fixture.hpp"

namespace drover::test {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view kWholeLimit =
    "The command did not end within its timeout: the phone's limit for the whole job is 50ms";

TEST(EarlyEnd, TheLimitOfTheJobPassesInAFinallyOfTheMatrix) {
    FakeFleet fleet(1, 1);
    const Row row = run_on_one(play_on(fleet), job_of("- {name: a, run: x}\nfinally:\n- {name: z, sleep: 200ms}\n",
                                                      "timeout: 50ms\nstrategy: {matrix: {k: [1, 2, 3]}}"));
    EXPECT_EQ(row.code, Code::timeout);
    EXPECT_THAT(row.error_msg, HasSubstr("the phone's limit for the whole job is 50ms"));
    EXPECT_EQ(told(row), "a:0 z: a:skipped z:skipped a:skipped z:skipped ");
}

TEST(EarlyEnd, TheLimitOfTheJobPassesInTheLastFinally) {
    FakeFleet fleet(1, 1);
    const Row row = run_on_one(play_on(fleet), job_of("- {name: a, run: x}\nfinally:\n- {name: y, sleep: 200ms}\n"
                                                      "- {name: z, if: success(), run: z}\n",
                                                      "timeout: 50ms"));
    EXPECT_TRUE(row.ok()) << row.error_msg;
    EXPECT_EQ(told(row), "a:0 y: z:0 ");
}

TEST(EarlyEnd, FailFastDoesNotWaitForTheFinallyOfWhoeverFailed) {
    FakeFleet fleet(3, 1);
    Rows rows;
    dispatch::dispatch(request(play_on(fleet), job_of("- {name: a, run: a}\n"
                                                      "- {name: b, if: \"instance == 'p1'\", run: exit 3}\n"
                                                      "- {name: c, run: c}\n- {name: d, if: always(), run: d}\n"
                                                      "finally:\n- {name: z, run: z}\n",
                                                      "strategy: {sync: step, fail-fast: true}")),
                       rows)
        ->wait();
    ASSERT_EQ(rows.rows.size(), 3U);
    for (const Row& row : rows.rows) {
        if (row.instance_id == "p1") {
            EXPECT_EQ(row.code, Code::command_failed);
            continue;
        }
        EXPECT_EQ(row.code, Code::run_stopped);
        EXPECT_THAT(row.error_msg, HasSubstr("fail-fast: p1 failed"));
        EXPECT_EQ(told(row), "a:0 b:skipped c:skipped d:skipped z:0 ");
    }
}

TEST(EarlyEnd, AStopBetweenTwoAttempts) {
    Event asked;
    FakeFleet fleet(1, 1);
    play_and_tell(fleet, 0, "exit 3", asked);
    Rows rows;
    const auto call = dispatch::dispatch(
        request(fleet, job_of("- {name: a, run: exit 3, continue-on-error: true, retry: {max: 5, backoff: 1m}}\n"
                              "- {name: b, run: b}\nfinally:\n- {name: z, if: cancelled(), run: z}\n")),
        rows);
    asked.wait_for(1);
    call->stop(Error(Code::cancelled, "enough"));
    call->wait();
    ASSERT_EQ(rows.rows.size(), 1U);
    const Row& row = rows.rows[0];
    EXPECT_EQ(row.code, Code::cancelled);
    EXPECT_EQ(row.error_msg, "Cancelled: enough (step 'a')");
    EXPECT_EQ(row.phase, Phase::run);
    EXPECT_EQ(row.steps[0].attempts, 1U);
    EXPECT_EQ(told(row), "a:DROVER.5001 b:skipped z:0 ");
    EXPECT_EQ(row.execute_msg, "bad\nz\n");
}

TEST(EarlyEnd, TheLimitOfTheJobPassesBetweenTwoAttempts) {
    FakeFleet fleet(1, 1);
    // The next attempt would come while `finally` is at work.
    const Row row = run_on_one(play_on(fleet), job_of("- {name: a, run: exit 3, retry: {max: 5, backoff: 100ms}}\n"
                                                      "- {name: b, run: b}\n"
                                                      "finally:\n- {name: z, run: hang, timeout: 150ms}\n",
                                                      "timeout: 50ms"));
    EXPECT_EQ(row.code, Code::timeout);
    EXPECT_EQ(row.error_msg, fmt::format("{} (step 'a')", kWholeLimit));
    EXPECT_EQ(row.steps[0].attempts, 1U);
    EXPECT_EQ(told(row), "a:DROVER.1005 b:skipped z:DROVER.1005 ");
    EXPECT_THAT(opened_on(fleet, 0), ElementsAre(EndsWith("exit 3"), EndsWith("hang")));
}

// p0 has done its first step and waits for p1, which hangs in it, and then in `finally`.
struct OneWaits {
    Event done, hung;
    FakeFleet fleet{2, 1};
    ToldRows rows;
    std::unique_ptr<Call> call;

    OneWaits(std::string_view steps, std::string_view head = "") {
        play_and_tell(fleet, 0, "", done);
        play_and_tell(fleet, 1, "", hung, true);
        Limits limits;
        limits.total = 1h;
        const auto job =
            job_of(steps, fmt::format("strategy: {{sync: step}}\nfinally: [{{name: z, run: out z}}]\n{}", head));
        call = dispatch::dispatch(request(fleet, job, limits), rows);
        done.wait_for(1);
        hung.wait_for(1);
    }
    // The row of p0, while p1 is still at work.
    Row first_row() {
        hung.wait_for(2);
        rows.came.wait_for(1);
        fleet.at(1, [](FakeConnector& c) { c.carrier.end_all(); });
        call->wait();
        EXPECT_EQ(rows.rows[0].instance_id, "p0");
        return rows.rows[0];
    }
};

TEST(EarlyEnd, AStopWhileItWaitsForOthers) {
    OneWaits w("- {name: a, run: out a}\n- {name: b, if: always(), run: out b}\n");
    w.call->stop(Error(Code::cancelled, "enough"));
    const Row row = w.first_row();
    EXPECT_EQ(row.code, Code::cancelled);
    EXPECT_EQ(row.error_msg, "Cancelled: enough");
    EXPECT_EQ(told(row), "a:0 b:skipped z:0 ");
}

TEST(EarlyEnd, TheLimitOfTheJobPassesWhileItWaitsForOthers) {
    OneWaits w("- {name: a, run: out a}\n- {name: b, run: out b}\n", "timeout: 50ms");
    const Row row = w.first_row();
    EXPECT_EQ(row.code, Code::timeout);
    EXPECT_EQ(row.error_msg, kWholeLimit);
    EXPECT_EQ(told(row), "a:0 b:skipped z:0 ");
}

TEST(EarlyEnd, AStopWhileItWaitsForOthersInFinally) {
    OneWaits w("- {name: a, run: out a}\n");
    w.call->stop(Error(Code::cancelled, "enough"));
    const Row row = w.first_row();
    EXPECT_TRUE(row.ok()) << row.error_msg;
    EXPECT_EQ(told(row), "a:0 z:0 ");
}

// What a step's beginning waits for until the test lets it go.
struct HeldNote final : OutputSink {
    Event asked;
    std::function<void()> held;
    Flow on_output(std::size_t, OutputStream, std::string_view, std::function<void()>) override { return Flow::go_on; }
    void when_kept(std::size_t, std::function<void()> then) override {
        held = std::move(then);
        asked.add();
    }
};

// The only step is about to begin; its note comes when the row is there.
Row row_of_held_note(std::string_view head, std::optional<Error> stop) {
    const TempDir dir;
    HeldNote note;
    FakeFleet fleet(1, 1);
    const auto shared = shared_of(job_of("- {name: a, run: out a}\n", head));
    shared->output = &note;
    shared->journal = *job::Journal::create(dir.path(), {"run-1", "/j.yaml", "abc", {"p0"}});
    shared->numbers = {0};
    Rows rows;
    const auto call = dispatch::dispatch(request_of(play_on(fleet), shared), rows);
    note.asked.wait_for(1);
    if (stop) call->stop(*stop);
    call->wait();
    note.held();
    shared->journal->close();
    EXPECT_THAT(opened_on(fleet, 0), IsEmpty());
    EXPECT_EQ(rows.rows.size(), 1U);
    return rows.rows.at(0);
}

TEST(EarlyEnd, AStopBeforeTheStepIsNoted) {
    const Row row = row_of_held_note("", Error(Code::cancelled, "enough"));
    EXPECT_EQ(row.code, Code::cancelled);
    EXPECT_EQ(row.error_msg, "Cancelled: enough");
    EXPECT_EQ(told(row), "a:skipped ");
}

TEST(EarlyEnd, TheLimitOfTheJobPassesBeforeTheStepIsNoted) {
    const Row row = row_of_held_note("timeout: 50ms", {});
    EXPECT_EQ(row.code, Code::timeout);
    EXPECT_EQ(row.error_msg, kWholeLimit);
    EXPECT_EQ(told(row), "a:skipped ");
}

}  // namespace
}  // namespace drover::test
