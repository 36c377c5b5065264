// What a job asks the phone before its first step: a phone that cannot be asked, or not in time.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "unit/job/job_fixture.hpp"

namespace drover::test {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::EndsWith;

constexpr std::string_view kLastFact = "getprop ro.build.fingerprint; ";
constexpr std::string_view kAsksFirst =
    "- {name: a, if: phone.sdk >= 30, run: out a}\n- {name: b, if: failure(), run: out b}\n";

TEST(AskPhone, TheExitCodeIsThatOfTheLastPropertyOnly) {
    FakeFleet fleet(1, 1);
    fleet.at(0, [](FakeConnector& c) {
        c.carrier.before_answer = [](FakeCarrier& carrier, std::string_view service) {
            const bool asks = service.ends_with(kLastFact);
            carrier.output = asks ? "Pixel\n" : "a\n";
            carrier.exit_code = asks ? 1 : 0;
        };
    });
    const Row row = run_on_one(fleet, job_of("- {name: a, if: phone.model == 'Pixel', run: out a}\n"));
    EXPECT_TRUE(row.ok()) << row.error_msg;
    EXPECT_EQ(told(row), "a:0 ");
    EXPECT_EQ(row.execute_msg, "a\n");
}

TEST(AskPhone, AnAbsentPhoneFailsInItsFirstStep) {
    FakeFleet fleet(1, 1);
    fleet.at(0, [](FakeConnector& c) { c.behave = FakeConnector::Behave::absent; });
    Limits limits;
    limits.connect = 50ms;
    auto shared = shared_of(job_of("- {name: a, continue-on-error: true, if: phone.sdk >= 30, run: out a}\n"
                                   "- {name: b, run: out b}\n",
                                   "secrets: {T: {env: NONE}}\nfinally: [{name: z, run: out z}]"),
                            limits);
    shared->secrets = job::Secrets({"refused"});
    Rows rows;
    dispatch::dispatch(request_of(fleet, shared), rows)->wait();
    ASSERT_EQ(rows.rows.size(), 1U);
    const Row& row = rows.rows[0];
    EXPECT_EQ(row.code, Code::phone_not_found);
    EXPECT_THAT(row.error_msg, EndsWith(": cannot connect: *** (step 'a')"));
    EXPECT_EQ(row.phase, Phase::connect);
    EXPECT_EQ(row.attempts, 0U);
    EXPECT_EQ(told(row), "a:CPS.0005 b:skipped z:skipped ");
    EXPECT_EQ(row.steps[0].kind, "run");
    EXPECT_GE(row.steps[0].ms, 40U) << "the time that it took counts as part of the step";
    EXPECT_EQ(row.steps[0].begin_ms, 0U);
}

TEST(AskPhone, ALinkThatIsLostMeanwhile) {
    FakeFleet fleet(1, 1);
    fleet.at(0, [](FakeConnector& c) { c.carrier.behave = FakeCarrier::Behave::loses_link; });
    const Row row = run_on_one(fleet, job_of(kAsksFirst, "strategy: {fail-fast: true, matrix: {k: [1, 2]}}"));
    EXPECT_EQ(row.code, Code::link_lost);
    EXPECT_THAT(row.error_msg, EndsWith("(step 'a' of k=1)"));
    EXPECT_EQ(row.attempts, 1U);
    EXPECT_EQ(row.steps[0].attempts, 0U);
    EXPECT_EQ(row.steps[0].combination, "k=1");
}

TEST(AskPhone, AStop) {
    Event asked;
    FakeFleet fleet(1, 1);
    play_and_tell(fleet, 0, std::string(kLastFact), asked, true);
    Rows rows;
    const auto call = dispatch::dispatch(request(fleet, job_of(kAsksFirst)), rows);
    asked.wait_for(1);
    call->stop(Error(Code::cancelled, "enough"));
    call->wait();
    ASSERT_EQ(rows.rows.size(), 1U);
    EXPECT_EQ(rows.rows[0].code, Code::cancelled);
    EXPECT_EQ(rows.rows[0].error_msg, "Cancelled: enough (step 'a')");
    EXPECT_EQ(rows.rows[0].attempts, 1U);
    EXPECT_EQ(told(rows.rows[0]), "a:DROVER.5001 b:skipped ");
    fleet.at(0, [](FakeConnector& c) { EXPECT_EQ(c.carrier.open_now(), 0U); });
}

TEST(AskPhone, TheLimitOfTheJob) {
    Event asked;
    FakeFleet fleet(1, 1);
    play_and_tell(fleet, 0, std::string(kLastFact), asked, true);
    const Row row = run_on_one(fleet, job_of(kAsksFirst, "timeout: 30ms"));
    EXPECT_EQ(row.error_msg,
              "The command did not end within its timeout: the phone's limit for the whole job is 30ms (step 'a')");
    EXPECT_EQ(told(row), "a:DROVER.1005 b:skipped ");
}

// Which is not the limit of its first step.
TEST(AskPhone, ItsOwnLimit) {
    Event asked;
    FakeFleet fleet(1, 1);
    play_and_tell(fleet, 0, std::string(kLastFact), asked, true);
    Limits limits;
    limits.total = 30ms;
    const Row row = run_on_one(fleet, job_of("- {name: a, timeout: 1h, if: phone.sdk >= 30, run: out a}\n"), limits);
    EXPECT_EQ(row.error_msg, "The command did not end within its timeout: not done within 30ms (step 'a')");
}

// Its first step has failed, and still it waits for the others before the second.
TEST(AskPhone, OneThatCannotBeAskedWaitsForTheOthers) {
    FakeFleet fleet(2, 1);
    std::vector<std::string> order;
    for (const std::size_t i : {0U, 1U}) {
        fleet.at(i, [&order, i](FakeConnector& c) {
            c.carrier.before_answer = [&order, i](FakeCarrier& carrier, std::string_view service) {
                play(carrier, service);
                const bool asks = service.ends_with(kLastFact);
                if (i == 0 && asks) carrier.behave = FakeCarrier::Behave::loses_link;
                carrier.turns = i == 1 ? 20 : 0;
                if (!asks) order.push_back(fmt::format("p{} {}", i, service.back()));
            };
        });
    }
    Rows rows;
    dispatch::dispatch(request(fleet, job_of("- {name: a, if: phone.sdk != 1, run: out a}\n"
                                             "- {name: b, if: always(), run: out b}\n"
                                             "- {name: c, if: always(), run: out c}\n",
                                             "strategy: {sync: step}")),
                       rows)
        ->wait();
    ASSERT_EQ(rows.rows.size(), 2U);
    for (const Row& row : rows.rows)
        EXPECT_EQ(told(row), row.instance_id == "p0" ? "a:DROVER.3001 b:0 c:0 " : "a:0 b:0 c:0 ");
    EXPECT_THAT(order, ElementsAre("p1 a", EndsWith("b"), EndsWith("b"), EndsWith("c"), EndsWith("c")));
}

TEST(AskPhone, WhyItCouldNotBeAskedIsToldWhenItIsStoppedWhileItWaits) {
    Event asked, hung;
    FakeFleet fleet(2, 1);
    fleet.at(0, [&](FakeConnector& c) {
        c.carrier.before_answer = [&](FakeCarrier& carrier, std::string_view) {
            carrier.behave = FakeCarrier::Behave::loses_link;
            asked.add();
        };
    });
    play_and_tell(fleet, 1, std::string(kLastFact), hung, true);
    Rows rows;
    const auto call = dispatch::dispatch(request(fleet, job_of(kAsksFirst, "strategy: {sync: step}")), rows);
    asked.wait_for(1);
    hung.wait_for(1);
    call->stop(Error(Code::cancelled, "enough"));
    call->wait();
    ASSERT_EQ(rows.rows.size(), 2U);
    for (const Row& row : rows.rows)
        EXPECT_EQ(told(row), row.instance_id == "p0" ? "a:DROVER.3001 b:skipped " : "a:DROVER.5001 b:skipped ");
}

// What was done before the run was taken up stays done.
TEST(AskPhone, OneThatCannotBeAskedFailsInTheFirstStepThatIsLeft) {
    FakeFleet fleet(1, 1);
    fleet.at(0, [](FakeConnector& c) { c.carrier.behave = FakeCarrier::Behave::loses_link; });
    const auto shared = shared_of(job_of(kAsksFirst));
    job::Past past;
    past.phones.resize(1);
    past.phones[0].ended[0].result.name = "a";
    past.phones[0].ended[0].result.exit_code = 0;
    shared->past = std::make_shared<job::Past>(past);
    shared->numbers = {0};
    Rows rows;
    dispatch::dispatch(request_of(fleet, shared), rows)->wait();
    ASSERT_EQ(rows.rows.size(), 1U);
    EXPECT_EQ(told(rows.rows[0]), "a:0 b:DROVER.3001 ");
    EXPECT_THAT(rows.rows[0].error_msg, EndsWith("(step 'b')"));
}

}  // namespace
}  // namespace drover::test
