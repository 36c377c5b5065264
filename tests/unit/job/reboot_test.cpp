// The step reboot: it waits for the phone, then for it to go and to come back, and may be ended meanwhile.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "unit/job/job_fixture.hpp"

namespace drover::test {
namespace {

using namespace std::chrono_literals;
using testing::EndsWith;
using testing::IsEmpty;

constexpr std::string_view kReboot = "- {name: a, reboot: true}\n- {name: b, run: out b}\n";

// Answers commands; "reboot:" is taken and tells.
void take_reboot(FakeFleet& fleet, Event& asked) { play_and_tell(fleet, 0, "reboot:", asked, true); }

fleet::Intent intent_of(FakeFleet& fleet) {
    auto intent = fleet::Intent::none;
    fleet.at(0, [&](FakeConnector&) { intent = fleet.phones[0]->state().intent; });
    return intent;
}

Row row_without_link(FakeConnector::Behave behave, std::string_view steps, Limits::Millis connect = 1h) {
    FakeFleet fleet(1, 1);
    fleet.at(0, [&](FakeConnector& c) { c.behave = behave; });
    Limits limits;
    limits.connect = connect;
    Row row = run_on_one(fleet, job_of(steps), limits);
    EXPECT_THAT(opened_on(fleet, 0), IsEmpty());
    EXPECT_EQ(row.attempts, 0U);
    EXPECT_EQ(row.phase, Phase::connect);
    return row;
}

TEST(Reboot, APhoneThatDoesNotComeInTime) {
    const Row absent = row_without_link(FakeConnector::Behave::absent, kReboot, 30ms);
    EXPECT_EQ(told(absent), "a:CPS.0005 b:skipped ");
    EXPECT_THAT(absent.error_msg, EndsWith(": cannot connect: refused (step 'a')"));
    const Row mute = row_without_link(FakeConnector::Behave::mute, kReboot, 30ms);
    EXPECT_EQ(told(mute), "a:CPS.0005 b:skipped ");
    EXPECT_THAT(mute.error_msg, EndsWith(": no connection in time (step 'a')"));
}

TEST(Reboot, APhoneThatCannotBeHad) {
    const Row row = row_without_link(FakeConnector::Behave::unauthorized, kReboot);
    EXPECT_EQ(row.code, Code::unauthorized);
    EXPECT_THAT(row.error_msg, EndsWith(": not trusted (step 'a')"));
    EXPECT_EQ(told(row), fmt::format("a:{} b:skipped ", info(Code::unauthorized).name));
}

// As for every other step: that the phone is absent is no error of the step.
TEST(Reboot, AnAbsentPhoneIsAbsentWhicheverLimitPasses) {
    const Row row = row_without_link(FakeConnector::Behave::absent,
                                     "- {name: a, reboot: true, timeout: 30ms, continue-on-error: true}\n"
                                     "- {name: b, run: out b}\n");
    EXPECT_EQ(told(row), "a:CPS.0005 b:skipped ");
    EXPECT_THAT(row.error_msg, EndsWith(": cannot connect: refused (step 'a')"));
}

TEST(Reboot, AStopWhileItWaitsForThePhone) {
    FakeFleet fleet(1, 1);
    fleet.at(0, [](FakeConnector& c) { c.behave = FakeConnector::Behave::mute; });
    Rows rows;
    const auto call = dispatch::dispatch(request(fleet, job_of(kReboot)), rows);
    // What was posted before has run by then.
    fleet.at(0, [](FakeConnector& c) { EXPECT_EQ(c.starts, 1); });
    call->stop(Error(Code::cancelled, "enough"));
    call->wait();
    ASSERT_EQ(rows.rows.size(), 1U);
    EXPECT_EQ(rows.rows[0].error_msg, "Cancelled: enough (step 'a')");
    EXPECT_EQ(rows.rows[0].phase, Phase::connect);
    EXPECT_EQ(told(rows.rows[0]), "a:DROVER.5001 b:skipped ");
}

TEST(Reboot, AStopBeforeThePhoneGoesAway) {
    Event asked;
    FakeFleet fleet(1, 1);
    take_reboot(fleet, asked);
    Rows rows;
    const auto call = dispatch::dispatch(request(fleet, job_of(kReboot)), rows);
    asked.wait_for(1);
    EXPECT_EQ(intent_of(fleet), fleet::Intent::reboot);
    call->stop(Error(Code::cancelled, "enough"));
    call->wait();
    ASSERT_EQ(rows.rows.size(), 1U);
    EXPECT_EQ(rows.rows[0].error_msg, "Cancelled: enough (step 'a')");
    EXPECT_EQ(rows.rows[0].phase, Phase::run);
    EXPECT_EQ(rows.rows[0].attempts, 1U);
    EXPECT_EQ(intent_of(fleet), fleet::Intent::none) << "it did not reboot";
    fleet.at(0, [](FakeConnector& c) { EXPECT_EQ(c.carrier.open_now(), 0U); });
}

TEST(Reboot, APhoneThatStaysAway) {
    Event asked;
    FakeFleet fleet(1, 1);
    take_reboot(fleet, asked);
    // Over as soon as the link is there.
    Limits limits;
    limits.connect = 100ms;
    Rows rows;
    const auto call =
        dispatch::dispatch(request(fleet, job_of("- {name: a, reboot: true, timeout: 200ms}\n"), limits), rows);
    asked.wait_for(1);
    fleet.at(0, [](FakeConnector& c) {
        c.behave = FakeConnector::Behave::absent;
        c.down(Error(Code::link_lost, "it went"), false);
    });
    call->wait();
    ASSERT_EQ(rows.rows.size(), 1U);
    EXPECT_EQ(rows.rows[0].code, Code::timeout);
    EXPECT_THAT(rows.rows[0].error_msg, EndsWith(": not done within 200ms: the phone is offline (step 'a')"));
}

TEST(Reboot, APhoneThatComesBack) {
    Event asked;
    FakeFleet fleet(1, 1);
    fleet.at(0, [&](FakeConnector& c) {
        c.carrier.before_answer = [&](FakeCarrier& carrier, std::string_view service) {
            const bool reboots = service == "reboot:";
            carrier.behave = reboots ? FakeCarrier::Behave::opens_only : FakeCarrier::Behave::exits;
            carrier.output = service.ends_with("sys.boot_completed") ? "1\n" : "b\n";
            if (reboots) asked.add();
        };
    });
    Rows rows;
    const auto call = dispatch::dispatch(request(fleet, job_of(kReboot)), rows);
    asked.wait_for(1);
    fleet.at(0, [](FakeConnector& c) {
        c.down(Error(Code::link_lost, "it went"), false);
        c.come_back();
    });
    call->wait();
    ASSERT_EQ(rows.rows.size(), 1U);
    EXPECT_TRUE(rows.rows[0].ok()) << rows.rows[0].error_msg;
    EXPECT_EQ(told(rows.rows[0]), "a: b:0 ");
}

// What becomes of the step once the phone, there or `gone`, is out of service. The limit passes only where nothing ends it.
Row row_of_a_disabled_one(bool gone) {
    Event asked;
    FakeFleet fleet(1, 1);
    take_reboot(fleet, asked);
    Rows rows;
    const auto call = dispatch::dispatch(
        request(fleet, job_of("- {name: a, reboot: true, timeout: 10s}\n- {name: b, run: out b}\n")), rows);
    asked.wait_for(1);
    fleet.at(0, [&](FakeConnector& c) {
        c.behave = FakeConnector::Behave::absent;
        if (gone) c.down(Error(Code::link_lost, "it went"), false);
        fleet.phones[0]->set_service(Error(Code::disabled, "swollen battery"));
    });
    call->wait();
    return rows.rows.at(0);
}

TEST(Reboot, APhoneThatIsDisabledMeanwhileIsNotWaitedFor) {
    for (const bool gone : {false, true}) {
        const Row row = row_of_a_disabled_one(gone);
        EXPECT_EQ(row.code, Code::disabled) << row.error_msg;
        EXPECT_THAT(row.error_msg, EndsWith(": swollen battery (step 'a')"));
        EXPECT_EQ(row.phase, Phase::run);
        EXPECT_EQ(told(row), fmt::format("a:{} b:skipped ", info(Code::disabled).name));
    }
}

TEST(Reboot, APhoneThatRefuses) {
    FakeFleet fleet(1, 1);
    fleet.at(0, [](FakeConnector& c) {
        c.carrier.before_answer = [](FakeCarrier& carrier, std::string_view service) {
            carrier.behave = service == "reboot:" ? FakeCarrier::Behave::refuses : FakeCarrier::Behave::exits;
        };
    });
    const Row row = run_on_one(fleet, job_of(kReboot));
    EXPECT_EQ(row.code, Code::refused);
    EXPECT_EQ(told(row), fmt::format("a:{} b:skipped ", info(Code::refused).name));
    EXPECT_EQ(intent_of(fleet), fleet::Intent::none);
}

}  // namespace
}  // namespace drover::test
