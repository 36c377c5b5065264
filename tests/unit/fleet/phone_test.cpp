// How a phone is kept alive: who is told what, and when it tries again.
#include "fleet/phone.hpp"

#include <gmock/gmock.h>

#include <future>

#include "support/fake_phone.hpp"
#include "support/noted_waiter.hpp"

namespace drover::test {
namespace {

class PhoneTest : public ::testing::Test {
protected:
    NotedWaiter a, b;  // outlive the loop that calls them
    FakeFleet fleet{1, 1};
    fleet::Phone& phone = *fleet.phones[0];

    template <class F>
    void on_loop(F&& f) {
        fleet.at(0, [&](FakeConnector& c) { f(c); });
    }
};

TEST_F(PhoneTest, ConnectsWhenSomebodyAsksAndNotBefore) {
    on_loop([](FakeConnector& c) { EXPECT_EQ(c.starts, 0); });
    on_loop([&](FakeConnector&) { phone.wait(a); });
    a.wait_ready(1);
    on_loop([&](FakeConnector& c) {
        EXPECT_EQ(c.starts, 1);
        EXPECT_EQ(phone.state().adb_state(), adb::AdbState::device);
        ASSERT_TRUE(phone.peer());
        // The link is kept: the next one who asks is told at once.
        phone.wait(b);
        EXPECT_EQ(b.ready, 1);
        EXPECT_EQ(c.starts, 1);
    });
}

TEST_F(PhoneTest, LetsGoOnlyWhenNobodyNeedsTheLink) {
    on_loop([&](FakeConnector&) { phone.wait(a); });
    a.wait_ready(1);
    on_loop([&](FakeConnector& c) {
        struct Waits final : fleet::GateWaiter {
            void on_admitted() override {}
        } command;
        ASSERT_TRUE(phone.gate().enter(command));
        phone.let_go();
        EXPECT_NE(c.sink, nullptr) << "a command runs";
        phone.gate().exit();
        phone.let_go();
        EXPECT_EQ(c.sink, nullptr);
        EXPECT_EQ(phone.peer(), nullptr);
        phone.wait(a);  // connects again
    });
    a.wait_ready(2);
    on_loop([](FakeConnector& c) { EXPECT_EQ(c.starts, 2); });
}

TEST_F(PhoneTest, ALostLinkIsTriedAgainWithoutAnybodyAsking) {
    on_loop([&](FakeConnector&) { phone.wait(a); });
    a.wait_ready(1);
    on_loop([&](FakeConnector& c) {
        c.down(Error(Code::link_lost, "cable"), false);
        EXPECT_EQ(phone.state().adb_state(), adb::AdbState::offline);
        EXPECT_EQ(phone.last_error()->message, "cable");
        EXPECT_EQ(phone.peer(), nullptr);
    });
    // Only the back-off timer brings the second one.
    for (int starts = 1; starts < 2;) on_loop([&](FakeConnector& c) { starts = c.starts; });
    on_loop([&](FakeConnector&) { EXPECT_EQ(a.ready, 1) << "nobody asked"; });
}

TEST_F(PhoneTest, AbsencePatientlyRetriedUntilThePhoneIsThere) {
    on_loop([&](FakeConnector& c) {
        c.behave = FakeConnector::Behave::absent;
        phone.wait(a);
    });
    // Several failed attempts first; each is seen on the loop, none tells the waiter.
    for (int starts = 0; starts < 3;) on_loop([&](FakeConnector& c) { starts = c.starts; });
    on_loop([&](FakeConnector& c) {
        EXPECT_EQ(a.ready, 0);
        EXPECT_TRUE(a.hopeless.empty());
        c.behave = FakeConnector::Behave::online;
    });
    a.wait_ready(1);
}

TEST_F(PhoneTest, HopelessIsToldAtOnce) {
    on_loop([&](FakeConnector& c) {
        c.behave = FakeConnector::Behave::wants_tls;
        phone.wait(a);
        phone.wait(b);
    });
    a.wait_hopeless(1);
    b.wait_hopeless(1);
    EXPECT_EQ(a.hopeless[0].code, Code::wants_tls);
}

TEST_F(PhoneTest, UnauthorizedTellsLatecomersToo) {
    on_loop([&](FakeConnector& c) {
        c.behave = FakeConnector::Behave::unauthorized;
        phone.wait(a);
    });
    a.wait_hopeless(1);
    on_loop([&](FakeConnector& c) {
        EXPECT_EQ(phone.state().adb_state(), adb::AdbState::unauthorized);
        phone.wait(b);
        EXPECT_EQ(b.hopeless.size(), 1u);
        EXPECT_EQ(c.starts, 1);
        // Somebody taps "allow".
        c.sink->on_online(c.carrier);
        NotedWaiter late;
        phone.wait(late);
        EXPECT_EQ(late.ready, 1);
    });
}

TEST_F(PhoneTest, OneWhoLeavesIsNotTold) {
    on_loop([&](FakeConnector&) {
        phone.wait(a);
        phone.wait(b);
        phone.leave(a);
    });
    b.wait_ready(1);
    EXPECT_EQ(a.ready, 0);
}

TEST_F(PhoneTest, BeingToldOneMayMakeAnotherLeave) {
    a.at_ready = [&] { phone.leave(b); };
    on_loop([&](FakeConnector&) {
        phone.wait(a);
        phone.wait(b);
    });
    a.wait_ready(1);
    on_loop([&](FakeConnector&) { EXPECT_EQ(b.ready, 0); });
}

TEST_F(PhoneTest, AskingDoesNotWaitForTheBackoff) {
    on_loop([&](FakeConnector& c) {
        c.behave = FakeConnector::Behave::absent;
        phone.wait(a);
    });
    for (int starts = 0; starts < 4;) on_loop([&](FakeConnector& c) { starts = c.starts; });
    on_loop([&](FakeConnector& c) {
        const int before = c.starts;
        const bool trying = c.sink != nullptr;  // an attempt under way is not doubled
        phone.leave(a);
        c.behave = FakeConnector::Behave::online;
        phone.wait(b);
        EXPECT_EQ(c.starts, trying ? before : before + 1);
    });
    b.wait_ready(1);
}

TEST_F(PhoneTest, OutOfServiceItIsLeftAloneAndSaysWhy) {
    on_loop([&](FakeConnector&) { phone.wait(a); });
    a.wait_ready(1);
    on_loop([&](FakeConnector& c) {
        phone.set_service(Error(Code::disabled, "swollen battery"));
        EXPECT_EQ(c.sink, nullptr) << "its link is still open";
        EXPECT_EQ(phone.state().status(), fleet::Status::shut_down);
        EXPECT_EQ(phone.state().why, "swollen battery");
        phone.wait(b);
        ASSERT_EQ(b.hopeless.size(), 1u);
        EXPECT_EQ(b.hopeless[0].code, Code::disabled);
        EXPECT_EQ(c.starts, 1);
        phone.set_service(std::nullopt);
        EXPECT_EQ(c.starts, 1) << "nobody asked";
        phone.wait(a);
    });
    a.wait_ready(2);
}

TEST_F(PhoneTest, ACommandThatRunsEndsBeforeTheLinkOfADisabledPhoneCloses) {
    on_loop([&](FakeConnector&) { phone.wait(a); });
    a.wait_ready(1);
    std::promise<void> closed;
    on_loop([&](FakeConnector& c) {
        c.at_stop = [&] { closed.set_value(); };
        NoWaiter command;
        ASSERT_TRUE(phone.gate().enter(command));
        phone.set_service(Error(Code::disabled, "to be repaired"));
        EXPECT_NE(c.sink, nullptr);
        phone.gate().exit();
        EXPECT_NE(c.sink, nullptr) << "a link was dropped from inside what it called";
    });
    closed.get_future().wait();
    on_loop([&](FakeConnector& c) { c.at_stop = nullptr; });
}

TEST_F(PhoneTest, WhoeverWaitsIsToldThatThePhoneWasDisabled) {
    on_loop([&](FakeConnector& c) {
        c.behave = FakeConnector::Behave::mute;
        phone.wait(a);
        phone.set_service(Error(Code::disabled, "lent out"));
        EXPECT_EQ(a.hopeless.size(), 1u);
    });
}

TEST_F(PhoneTest, AHintEndsTheBackoff) {
    on_loop([&](FakeConnector& c) {
        c.behave = FakeConnector::Behave::mute;
        phone.wait(a);
        for (int i = 0; i < 12; ++i) {
            c.down(Error(Code::phone_not_found, "not plugged in"), false);
            phone.wait(b);
            phone.leave(b);
        }
        c.down(Error(Code::phone_not_found, "not plugged in"), false);
        c.behave = FakeConnector::Behave::online;
        const int before = c.starts;
        c.come_back();
        EXPECT_EQ(c.starts, before + 1);
        c.come_back();
        EXPECT_EQ(c.starts, before + 1) << "an attempt is under way";
    });
    a.wait_ready(1);
}

// A log that goes on over a push, and the other way round.
TEST(Phone, WhatGoesOnIsShownUntilItsOwnEnd) {
    FakeFleet fleet(1, 1);
    fleet.at(0, [&](FakeConnector&) {
        using enum fleet::Activity;
        fleet::Phone& phone = *fleet.phones[0];
        const auto shown = [&] { return phone.state().activity; };
        phone.begin_activity(streaming, "logcat");
        phone.begin_activity(restoring, "push");
        EXPECT_EQ(shown(), restoring);
        phone.end_activity(restoring, data_loaded, "push: done");
        EXPECT_EQ(shown(), streaming);
        phone.begin_activity(restoring, "push");
        phone.end_activity(streaming, idle, "the stream ended");
        EXPECT_EQ(shown(), restoring);
        phone.begin_activity(restoring, "another push");
        phone.end_activity(restoring, restore_failed, "push: no room");
        EXPECT_EQ(shown(), restoring);
        phone.end_activity(restoring, data_loaded, "push: done");
        EXPECT_EQ(shown(), data_loaded);
    });
}

}  // namespace
}  // namespace drover::test
