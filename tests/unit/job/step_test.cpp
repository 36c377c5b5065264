// What steps can be told: conditions, retries, outputs, limits, clean-up; and the kinds that need no shell.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fstream>

#include "unit/job/job_fixture.hpp"

namespace drover::test {
namespace {

using testing::HasSubstr;

TEST(Steps, ConditionsLookAtWhatCameBefore) {
    const Row row = run_job_on_one(
        "- {name: a, run: 'out hello', register: a}\n"
        "- {name: b, if: \"outputs.a.stdout == 'hello' && outputs.a.ok\", run: 'out {{ outputs.a.stdout }} there'}\n"
        "- {name: c, if: \"outputs.a.exit_code != 0\", run: out never, register: c}\n"
        "- {name: d, if: \"outputs.c.stdout == 'x' || outputs.c.ok\", run: out never}\n"
        "- {name: e, if: failure(), run: out never}\n");
    EXPECT_TRUE(row.ok()) << row.error_msg;
    EXPECT_EQ(told(row), "a:0 b:0 c:skipped d:skipped e:skipped ");
    EXPECT_EQ(row.execute_msg, "hello\n'hello' there\n");
}

TEST(Steps, AfterAFailureOnlyThoseThatAskForItRun) {
    const Row row = run_job_on_one(
        "- {name: a, run: exit 3}\n- {name: b, run: out b}\n- {name: c, if: failure(), run: out c}\n"
        "- {name: d, if: always(), run: exit 4}\n- {name: e, if: \"instance == 'p0'\", run: out e}\n");
    EXPECT_EQ(row.code, Code::command_failed);
    EXPECT_EQ(row.exit_code, 3);
    EXPECT_EQ(row.error_msg, "Run command failed: exit code 3 (step 'a')");
    EXPECT_EQ(told(row), "a:CPS.01913 b:skipped c:0 d:CPS.01914 e:skipped ");
}

TEST(Steps, AConditionThatCannotBeJudgedIsAFailure) {
    const Row row = run_job_on_one("- {run: out x, register: a}\n- {name: b, if: outputs.a.stdout > 3, run: out y}\n");
    EXPECT_EQ(row.code, Code::step_impossible);
    EXPECT_THAT(row.error_msg, HasSubstr("if: 'x' is no number to compare (step 'b')"));
}

TEST(Steps, AMissingValueIsAFailureOfTheStep) {
    const Row row = run_job_on_one(
        "- {name: a, if: 'true', run: 'out {{ labels.rack }}', continue-on-error: true}\n- run: out b\n");
    EXPECT_TRUE(row.ok());
    EXPECT_EQ(told(row), "a:DROVER.2011+ step 2:0 ");
    EXPECT_THAT(row.steps[0].error_msg, HasSubstr("p0 has no value for {{ labels.rack }}"));
    EXPECT_EQ(row.steps[0].attempts, 0U);
}

TEST(Steps, RetryUntilItWorks) {
    FakeFleet fleet(1, 1);
    fleet.at(0, [](FakeConnector& c) {
        c.carrier.before_answer = [n = 0](FakeCarrier& carrier, std::string_view) mutable {
            carrier.exit_code = ++n < 3 ? 1 : 0;
            carrier.output = fmt::format("{}\n", n);
        };
    });
    const Row row = run_on_one(fleet, job_of("- {name: a, run: x, retry: {max: 5, backoff: 1ms}, register: a}\n- run: "
                                             "'x'\n  if: outputs.a.stdout == '3'\n"));
    EXPECT_TRUE(row.ok()) << row.error_msg;
    EXPECT_EQ(row.execute_msg, "1\n2\n3\n4\n");
    EXPECT_EQ(row.steps[0].attempts, 3U);
    EXPECT_EQ(row.attempts, 3U);
    EXPECT_FALSE(row.steps[1].skipped);
}

TEST(Steps, RetryGivesUp) {
    const Row row = run_job_on_one("- {name: a, run: exit 2, retry: {max: 2, backoff: 1ms}}\n");
    EXPECT_EQ(row.code, Code::command_failed);
    EXPECT_EQ(row.steps[0].attempts, 3U);
    EXPECT_EQ(row.execute_msg, "bad\nbad\nbad\n");
}

TEST(Steps, RetryLooksAtTheCause) {
    const Row other = run_job_on_one("- {run: exit 2, retry: {max: 2, backoff: 1ms, on: [link, timeout]}}\n");
    EXPECT_EQ(other.steps[0].attempts, 1U);
    const Row late = run_job_on_one("- {run: hang, timeout: 20ms, retry: {max: 2, backoff: 1ms, on: [timeout]}}\n");
    EXPECT_EQ(late.steps[0].attempts, 3U);
    EXPECT_EQ(late.code, Code::timeout);
}

TEST(Steps, OkCodes) {
    const Row row =
        run_job_on_one("- {name: a, run: exit 3, ok-codes: [0, 3]}\n- {name: b, run: out x, ok-codes: [1]}\n");
    EXPECT_EQ(told(row), "a:3 b:CPS.01910 ");
    EXPECT_THAT(row.error_msg, HasSubstr("exit code 0 is not in ok-codes (step 'b')"));
}

TEST(Steps, FinallyRunsAfterAFailureAndItsFailureCounts) {
    const Row row = run_job_on_one("- {name: a, run: exit 3}\n- {name: b, run: out b}\n",
                                   "finally: [{name: f, run: out f}, {name: g, if: failure(), run: out g}]");
    EXPECT_EQ(told(row), "a:CPS.01913 b:skipped f:0 g:0 ");
    EXPECT_EQ(row.exit_code, 3);
    const Row good =
        run_job_on_one("- {name: a, run: out a}\n", "finally: [{name: f, run: exit 5}, {name: g, run: out g}]");
    EXPECT_EQ(told(good), "a:0 f:CPS.01915 g:0 ");
    EXPECT_EQ(good.code, Code::command_failed);
}

TEST(Steps, FinallyIsNotForPhonesWhereNothingBegan) {
    FakeFleet fleet(1, 1);
    fleet.at(0, [](FakeConnector& c) { c.behave = FakeConnector::Behave::absent; });
    Limits limits;
    limits.connect = Limits::Millis(20);
    const Row row = run_on_one(fleet, job_of("- run: out a\n", "finally: [{name: f, run: out f}]"), limits);
    EXPECT_EQ(row.code, Code::phone_not_found);
    EXPECT_EQ(told(row), "step 1:CPS.0005 f:skipped ");
}

TEST(Steps, FinallyRunsWhenTheJobIsOverItsTimeOrStopped) {
    const Row late =
        run_job_on_one("- {name: a, run: hang}\n- run: out b\n", "timeout: 30ms\nfinally: [{name: f, run: out f}]");
    EXPECT_EQ(late.code, Code::timeout);
    EXPECT_EQ(told(late), "a:DROVER.1005 step 2:skipped f:0 ");
    EXPECT_EQ(late.execute_msg, "f\n");

    FakeFleet fleet(1, 1);
    Event asked;
    fleet.at(0, [&](FakeConnector& c) {
        c.carrier.before_answer = [&](FakeCarrier& carrier, std::string_view service) {
            play(carrier, service);
            if (carrier.behave == FakeCarrier::Behave::opens_only) asked.add();
        };
    });
    Rows rows;
    const auto call = dispatch::dispatch(request(fleet, job_of("- {name: a, run: hang}\n- {if: always(), run: out b}\n",
                                                               "finally: [{name: f, if: cancelled(), run: out f}]")),
                                         rows);
    asked.wait_for(1);
    call->stop(Error(Code::cancelled, "enough"));
    call->wait();
    ASSERT_EQ(rows.rows.size(), 1U);
    EXPECT_EQ(rows.rows[0].code, Code::cancelled);
    EXPECT_EQ(told(rows.rows[0]), "a:DROVER.5001 step 2:skipped f:0 ");
}

TEST(Steps, SleepAndFail) {
    const Row row = run_job_on_one("- {name: a, sleep: 5ms}\n- {name: b, fail: 'no {{ instance }}'}\n- run: out c\n");
    EXPECT_EQ(told(row), "a: b:CPS.0191 step 3:skipped ");
    EXPECT_EQ(row.error_msg, "Run command failed: no p0 (step 'b')");
    const Row late = run_job_on_one("- {sleep: 1h, timeout: 5ms}\n");
    EXPECT_EQ(late.code, Code::timeout);
}

TEST(Steps, WaitForAsksAgain) {
    FakeFleet fleet(1, 1);
    std::vector<std::string> opened;
    fleet.at(0, [](FakeConnector& c) {
        c.carrier.before_answer = [n = 0](FakeCarrier& carrier, std::string_view) mutable {
            carrier.exit_code = ++n < 4;
        };
    });
    const Row row = run_on_one(
        fleet,
        job_of("- {name: a, wait-for: {property: 'sys.{{ x }}', value: \"it's\", every: 1ms}}\n", "vars: {x: foo}"));
    EXPECT_TRUE(row.ok()) << row.error_msg;
    fleet.at(0, [&](FakeConnector& c) { opened = c.carrier.opened; });
    ASSERT_EQ(opened.size(), 4U);
    EXPECT_THAT(opened[0], HasSubstr(R"x(test "$(getprop 'sys.foo')" = 'it'\''s')x"));
}

TEST(Steps, WaitForSaysWhatItWaitedFor) {
    FakeFleet fleet(1, 1);
    fleet.at(0, [](FakeConnector& c) { c.carrier.exit_code = 1; });
    const Row row = run_on_one(fleet, job_of("- {name: a, timeout: 30ms, wait-for: {package: com.x, every: 1ms}}\n"));
    EXPECT_EQ(row.code, Code::timeout);
    EXPECT_THAT(row.error_msg, HasSubstr("not done within 30ms: no package com.x (step 'a')"));
}

TEST(Steps, TheMatrixRunsEachCombinationOnEachPhone) {
    const std::string matrix = "strategy: {matrix: {n: [1, 2], s: [a, b]}}\n";
    const Row row = run_job_on_one("- {name: x, run: 'out {{ raw(matrix.n) }}{{ raw(matrix.s) }}', register: x}\n",
                                   matrix + "finally: [{name: f, run: out f}]");
    EXPECT_EQ(row.execute_msg, "1a\nf\n1b\nf\n2a\nf\n2b\nf\n");
    EXPECT_EQ(row.steps[2].combination, "n=1, s=b");
    // One that fails does not touch the others, unless fail-fast says so.
    const std::string_view steps = "- {name: x, if: \"matrix.n == 1\", run: exit 3}\n- {name: y, run: out y}\n";
    const Row one = run_job_on_one(steps, "strategy: {matrix: {n: [1, 2]}}");
    EXPECT_EQ(told(one), "x:CPS.01913 y:skipped x:skipped y:0 ");
    EXPECT_THAT(one.error_msg, HasSubstr("(step 'x' of n=1)"));
    const Row fast = run_job_on_one(steps, "strategy: {fail-fast: true, matrix: {n: [1, 2]}}");
    EXPECT_EQ(told(fast), "x:CPS.01913 y:skipped x:skipped y:skipped ");
}

TEST(Steps, PhoneFactsAreAskedOnce) {
    FakeFleet fleet(1, 1);
    fleet.at(0, [](FakeConnector& c) {
        c.carrier.before_answer = [](FakeCarrier& carrier, std::string_view service) {
            const bool facts = service.find("getprop ro.product.model") != std::string_view::npos;
            carrier.output = facts ? "Pixel 8\r\nG\ng\np\nd\n34\n14\narm64\nS\nb\n"
                                   : std::string(service.substr(service.rfind(' ') + 1));
        };
    });
    const Row row = run_on_one(fleet, job_of("- {if: phone.sdk >= 30, run: 'echo {{ raw(phone.release) }}'}\n"
                                             "- {if: \"phone.model != 'Pixel 8'\", run: x}\n"));
    EXPECT_EQ(row.execute_msg, "14");
    EXPECT_EQ(told(row), "step 1:0 step 2:skipped ");
}

TEST(Steps, SecretsAreMaskedEverywhere) {
    FakeFleet fleet(1, 1);
    auto shared =
        shared_of(job_of("- {name: a, run: 'out {{ secrets.T }}', register: a}\n"
                         "- {name: b, if: \"contains(outputs.a.stdout, '***')\", fail: 'it was {{ secrets.T }}'}\n",
                         "secrets: {T: {env: NONE}}"));
    shared->secrets = job::Secrets({"tops3cret"});
    Rows rows;
    dispatch::dispatch(request_of(play_on(fleet), shared), rows)->wait();
    ASSERT_EQ(rows.rows.size(), 1U);
    EXPECT_EQ(rows.rows[0].execute_msg, "'***'\n");
    EXPECT_EQ(rows.rows[0].error_msg, "Run command failed: it was *** (step 'b')");
    fleet.at(0, [](FakeConnector& c) { EXPECT_THAT(c.carrier.opened[0], HasSubstr("tops3cret")); });
}

TEST(Secrets, AreFoundAcrossPieces) {
    const job::Secrets secrets({"abcd", "abcdef", "xyzt"});
    job::MaskedStream stream(secrets);
    EXPECT_EQ(stream.feed("1ab"), "1");
    EXPECT_EQ(stream.feed("cd"), "");
    EXPECT_EQ(stream.feed("e-"), "***e-");
    EXPECT_EQ(stream.feed("abcdefxyz"), "***");
    EXPECT_EQ(stream.finish(), "xyz");
    EXPECT_EQ(secrets.masked("abcd abcdef xyzt abc"), "*** *** *** abc");
}

TEST(Secrets, ThatShareBytesLeaveNone) {
    const job::Secrets secrets({"abcd", "cdefgh", "xyxy"});
    EXPECT_EQ(secrets.masked("<abcdefgh>"), "<***>");
    EXPECT_EQ(secrets.masked("xyxyxy xyxyxyxy"), "*** ***");
    EXPECT_EQ(secrets.masked("abcdabcd"), "******");
    job::MaskedStream stream(secrets);
    EXPECT_EQ(stream.feed("abcd"), "***") << "c may begin the next one, but is hidden already";
    EXPECT_EQ(stream.feed("efg"), "");
    EXPECT_EQ(stream.feed("h-"), "-");
}

TEST(HostRun, ArgumentsAreNeverSplitAndTheEnvironmentTellsThePhone) {
    const Row row = run_job_on_one(
        "- host-run: [sh, -c, 'printf \"<%s>\" \"$@\" \"$DROVER_INSTANCE\" \"$DROVER_STEP\" \"$K\"; echo bad >&2; exit "
        "7', x, 'a b', '{{ evil }}']\n"
        "  name: host\n  env: {K: v}\n  ok-codes: [7]\n",
        "vars: {evil: \"it's $(x) *\"}");
    EXPECT_TRUE(row.ok()) << row.error_msg;
    EXPECT_THAT(row.execute_msg, HasSubstr("<a b><it's $(x) *><p0><host><v>"));
    EXPECT_THAT(row.execute_msg, HasSubstr("bad\n"));
    EXPECT_EQ(row.exit_code, 7);
}

TEST(HostRun, FailuresAreTold) {
    const Row none = run_job_on_one("- host-run: [no-such-program-here]\n");
    EXPECT_EQ(none.code, Code::host_program);
    EXPECT_THAT(none.error_msg, HasSubstr("there is no program 'no-such-program-here' in PATH"));
    const Row code = run_job_on_one("- host-run: {shell: exit 3}\n");
    EXPECT_EQ(code.code, Code::command_failed);
    EXPECT_THAT(code.error_msg, HasSubstr("host program: exit code 3"));
    const Row killed = run_job_on_one("- host-run: {shell: 'kill -9 $$'}\n");
    EXPECT_EQ(killed.exit_code, 137);
}

TEST(HostRun, TheDeadlineEndsTheWholeGroupEvenIfItIgnoresSigterm) {
    const TempDir dir;
    const auto file = (dir / "pids").string();
    const Row row = run_job_on_one(
        "- host-run: {shell: \"trap '' TERM; (trap '' TERM; while :; do :; done) & echo $$ $! >'" + file +
        "'; wait; wait\"}\n"
        "  timeout: 1s\n");
    EXPECT_EQ(row.code, Code::timeout) << row.error_msg;
    std::ifstream in(file);
    pid_t leader = 0, child = 0;
    in >> leader >> child;
    ASSERT_GT(child, 0);
    EXPECT_EQ(::kill(leader, 0), -1);
    // Killed it is, but on a busy machine a moment may pass until it is gone; its parent is, so nobody here can wait for it.
    const int process = static_cast<int>(::syscall(SYS_pidfd_open, child, 0));
    if (process < 0) return;
    pollfd ended{process, POLLIN, 0};
    constexpr int kWaitMaxMs = 20'000;
    EXPECT_EQ(::poll(&ended, 1, kWaitMaxMs), 1) << "the child lives on";
    ::close(process);
}

TEST(HostRun, OnceForAllPhones) {
    const TempDir dir;
    const auto file = (dir / "runs").string();
    FakeFleet fleet(4, 2);
    auto shared =
        shared_of(job_of("- {name: a, host-run: {shell: \"echo x >>'" + file + "'\", once: true}}\n- run: out b\n"));
    Rows rows;
    dispatch::dispatch(request_of(play_on(fleet), shared), rows)->wait();
    ASSERT_EQ(rows.rows.size(), 4U);
    for (const Row& row : rows.rows) EXPECT_EQ(told(row), "a:0 step 2:0 ");
    EXPECT_EQ(read_file(file), "x\n");
}

TEST(Sync, NoPhoneBeginsAStepBeforeAllHaveEndedTheOneBefore) {
    constexpr std::size_t kPhones = 5;
    FakeFleet fleet(kPhones, 2);
    std::mutex mutex;
    std::vector<std::string> order;
    for (std::size_t i = 0; i < kPhones; ++i) {
        fleet.at(i, [&](FakeConnector& c) {
            c.carrier.before_answer = [&](FakeCarrier& carrier, std::string_view service) {
                play(carrier, service);
                const std::lock_guard lock(mutex);
                order.emplace_back(service.substr(service.rfind(' ') + 1));
            };
        });
    }
    Rows rows;
    dispatch::dispatch(request(fleet, job_of("- run: out a\n- {if: \"instance != 'p1'\", run: out b}\n- {run: out c}\n",
                                             "strategy: {sync: step}")),
                       rows)
        ->wait();
    ASSERT_EQ(rows.rows.size(), kPhones);
    EXPECT_EQ(order.size(), kPhones * 3 - 1);
    EXPECT_TRUE(std::is_sorted(order.begin(), order.end())) << fmt::format("{}", fmt::join(order, " "));
}

}  // namespace
}  // namespace drover::test
