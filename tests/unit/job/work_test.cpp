// Jobs over fake phones: the steps of each phone, and its one row.
#include "job/work.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "unit/job/job_fixture.hpp"

namespace drover::test {
namespace {

using namespace std::chrono_literals;
using Behave = FakeCarrier::Behave;
using testing::ElementsAre;

TEST(JobWork, RunsAllStepsAndJoinsTheirOutput) {
    FakeFleet fleet(1, 1);
    const Row row = run_on_one(play_on(fleet), job_of("- {name: a, run: one}\n- {name: b, run: two}\n", "env: {K: v}"));
    EXPECT_TRUE(row.ok()) << row.error_msg;
    EXPECT_EQ(row.execute_msg, "export K='v'; one\nexport K='v'; two\n");
    EXPECT_EQ(row.output_bytes, row.execute_msg.size());
    ASSERT_EQ(row.runs.size(), 1U);
    EXPECT_EQ(row.runs[0].end, row.execute_msg.size());
    EXPECT_EQ(row.exit_code, 0);
    EXPECT_EQ(row.phase, Phase::done);
    EXPECT_EQ(row.attempts, 1U);
    EXPECT_EQ(told(row), "a:0 b:0 ");
    EXPECT_EQ(row.steps[1].output_bytes, 18U);
}

TEST(JobWork, TheFirstFailureEndsIt) {
    FakeFleet fleet(1, 1);
    const Row row = run_on_one(play_on(fleet), job_of("- run: one\n- run: exit 3\n- {name: last, run: two}\n"));
    EXPECT_EQ(row.code, Code::command_failed);
    EXPECT_EQ(row.error_msg, "Run command failed: exit code 3 (step 'step 2')");
    EXPECT_EQ(row.exit_code, 3);
    EXPECT_EQ(row.execute_msg, "one\nbad\n");
    EXPECT_EQ(told(row), "step 1:0 step 2:CPS.01913 last:skipped ");
}

TEST(JobWork, ContinueOnErrorGoesOnAndStaysOk) {
    FakeFleet fleet(1, 1);
    const Row row = run_on_one(play_on(fleet), job_of("- {run: exit 3, continue-on-error: true}\n- run: two\n"));
    EXPECT_TRUE(row.ok());
    EXPECT_EQ(row.error_msg, "");
    EXPECT_EQ(row.exit_code, 0);
    EXPECT_EQ(told(row), "step 1:CPS.0191+3 step 2:0 ");
    FakeFleet other(1, 1);
    const Row last = run_on_one(play_on(other), job_of("- run: two\n- {run: exit 4, continue-on-error: true}\n"));
    EXPECT_TRUE(last.ok());
    EXPECT_EQ(last.exit_code, 4);
}

TEST(JobWork, ALostLinkEndsItWhateverTheStepSays) {
    FakeFleet fleet(1, 1);
    const Row row = run_on_one(play_on(fleet), job_of("- {run: lose, continue-on-error: true}\n- run: two\n"));
    EXPECT_EQ(row.code, Code::link_lost);
    EXPECT_EQ(told(row), "step 1:DROVER.3001 step 2:skipped ");
}

TEST(JobWork, AnAbsentPhone) {
    FakeFleet fleet(1, 1);
    fleet.at(0, [](FakeConnector& c) { c.behave = FakeConnector::Behave::absent; });
    Limits limits;
    limits.connect = 50ms;
    const Row row = run_on_one(fleet, job_of("- {run: x, continue-on-error: true}\n- run: two\n"), limits);
    EXPECT_EQ(row.code, Code::phone_not_found);
    EXPECT_EQ(row.attempts, 0U);
    EXPECT_EQ(told(row), "step 1:CPS.0005 step 2:skipped ");
}

TEST(JobWork, TimeoutsOfAStepAndOfTheJob) {
    FakeFleet fleet(1, 1);
    const Row step =
        run_on_one(play_on(fleet), job_of("- {run: hang, timeout: 30ms, continue-on-error: true}\n- run: two\n"));
    EXPECT_TRUE(step.ok());
    EXPECT_EQ(told(step), "step 1:DROVER.1005+ step 2:0 ");
    EXPECT_EQ(step.execute_msg, "two\n");
    FakeFleet other(1, 1);
    const Row job = run_on_one(
        play_on(other), job_of("- run: one\n- {run: hang, continue-on-error: true}\n- run: two\n", "timeout: 30ms"));
    EXPECT_EQ(job.code, Code::timeout);
    EXPECT_EQ(
        job.error_msg,
        "The command did not end within its timeout: the phone's limit for the whole job is 30ms (step 'step 2')");
    EXPECT_EQ(job.execute_msg, "one\n");
    EXPECT_EQ(told(job), "step 1:0 step 2:DROVER.1005 step 3:skipped ");
    other.at(0, [](FakeConnector& c) { EXPECT_EQ(c.carrier.open_now(), 0U); });
}

TEST(JobWork, TheTimeoutOfTheCallBoundsAllStepsTogetherAndOverridesTheFile) {
    const auto job =
        job_of("- {run: hang, timeout: 20ms, continue-on-error: true}\n- run: hang\n- run: two\n", "timeout: 1h");
    FakeFleet fleet(1, 1);
    const Row row = run_on_one(play_on(fleet), job, {}, 60ms);
    EXPECT_EQ(row.code, Code::timeout);
    EXPECT_EQ(
        row.error_msg,
        "The command did not end within its timeout: the phone's limit for the whole job is 60ms (step 'step 2')");
    EXPECT_EQ(told(row), "step 1:DROVER.1005+ step 2:DROVER.1005 step 3:skipped ");
    // Its own timeout does not let a step take longer than the phone may.
    FakeFleet other(1, 1);
    const Row long_step = run_on_one(
        play_on(other), job_of("- {run: hang, timeout: 1h, continue-on-error: true}\n- run: two\n"), {}, 30ms);
    EXPECT_EQ(told(long_step), "step 1:DROVER.1005 step 2:skipped ");
}

TEST(JobWork, WithoutALimitOfTheJobEachStepHasTheLimitOfAStep) {
    Limits limits;
    limits.total = 30ms;
    FakeFleet fleet(1, 1);
    const Row row = run_on_one(play_on(fleet),
                               job_of("- {run: hang, continue-on-error: true}\n- {run: hang, timeout: 40ms, "
                                      "continue-on-error: true}\n- run: two\n"),
                               limits);
    EXPECT_TRUE(row.ok()) << row.error_msg;
    EXPECT_EQ(told(row), "step 1:DROVER.1005+ step 2:DROVER.1005+ step 3:0 ");
}

TEST(JobWork, AnAbsentPhoneIsAbsentWhicheverLimitPasses) {
    FakeFleet fleet(1, 1);
    fleet.at(0, [](FakeConnector& c) { c.behave = FakeConnector::Behave::absent; });
    const Row row = run_on_one(fleet, job_of("- {run: x, continue-on-error: true}\n- run: two\n"), {}, 30ms);
    EXPECT_EQ(row.code, Code::phone_not_found) << row.error_msg;
    EXPECT_EQ(told(row), "step 1:CPS.0005 step 2:skipped ");
}

TEST(JobWork, OutputIsBoundedOverAllSteps) {
    FakeFleet fleet(1, 1);
    Limits limits;
    limits.max_output_bytes = 6;
    const Row row = run_on_one(play_on(fleet), job_of("- run: abc\n- run: defgh\n- run: i\n"), limits);
    EXPECT_TRUE(row.ok());
    EXPECT_EQ(row.execute_msg, "abc\nde");
    EXPECT_TRUE(row.truncated);
    EXPECT_EQ(row.output_bytes, 12U);
    EXPECT_EQ(row.steps[2].output_bytes, 2U);
}

TEST(JobWork, StopEndsTheStepAndSkipsTheRest) {
    Event asked;
    FakeFleet fleet(2, 2);
    for (std::size_t i = 0; i < 2; ++i) {
        fleet.at(i, [&](FakeConnector& c) {
            c.carrier.before_answer = [&](FakeCarrier& carrier, std::string_view service) {
                play(carrier, service);
                if (carrier.behave == Behave::opens_only) asked.add();
            };
        });
    }
    Rows rows;
    const auto call = dispatch::dispatch(
        request(fleet, job_of("- run: one\n- {run: hang, continue-on-error: true}\n- run: two\n")), rows);
    asked.wait_for(2);
    call->stop(Error(Code::cancelled, std::string(info(Code::cancelled).text)));
    call->wait();
    ASSERT_EQ(rows.rows.size(), 2U);
    for (const Row& row : rows.rows) {
        EXPECT_EQ(row.code, Code::cancelled);
        EXPECT_EQ(row.error_msg, "Cancelled. (step 'step 2')");
        EXPECT_EQ(row.execute_msg, "one\n");
        EXPECT_EQ(told(row), "step 1:0 step 2:DROVER.5001 step 3:skipped ");
    }
}

TEST(JobWork, PhonesDoNotWaitForEachOther) {
    Event second_done;
    FakeFleet fleet(2, 1);
    fleet.at(0, [&](FakeConnector& c) {
        c.carrier.before_answer = [](FakeCarrier& carrier, std::string_view) { carrier.behave = Behave::mute; };
    });
    fleet.at(1, [&](FakeConnector& c) {
        c.carrier.before_answer = [&](FakeCarrier& carrier, std::string_view service) {
            play(carrier, service);
            second_done.add();
        };
    });
    Rows rows;
    const auto call = dispatch::dispatch(request(fleet, job_of("- run: one\n- run: two\n- run: three\n")), rows);
    second_done.wait_for(3);  // all its steps, while the first phone has not opened one
    call->stop(Error(Code::cancelled, "enough"));
    call->wait();
    ASSERT_EQ(rows.rows.size(), 2U);
}

TEST(JobWork, ValuesArePhoneByPhone) {
    FakeFleet fleet(3, 2);
    Rows rows;
    dispatch::dispatch(request(play_on(fleet), job_of("- run: echo {{ instance }}\n")), rows)->wait();
    ASSERT_EQ(rows.rows.size(), 3U);
    for (const Row& row : rows.rows) EXPECT_EQ(row.execute_msg, fmt::format("echo 'p{}'\n", row.index));
}

TEST(JobWork, TwoHundredStepsThatEndAtOnce) {
    FakeFleet fleet(1, 1);
    std::string steps;
    for (int i = 0; i < 200; ++i) steps += "- run: x\n";
    const Row row = run_on_one(play_on(fleet), job_of(steps));
    EXPECT_TRUE(row.ok());
    EXPECT_EQ(row.steps.size(), 200U);
}

}  // namespace
}  // namespace drover::test
