// How a phone is kept alive: who is told what, and when it tries again.
#include "fleet/phone.hpp"

#include <gmock/gmock.h>

#include <condition_variable>
#include <future>
#include <mutex>

#include "support/fake_phone.hpp"

namespace drover::test {
namespace {

// Told on the phone's loop; the test waits for a count.
struct NotedWaiter final : fleet::Waiter {
    std::mutex mutex;
    std::condition_variable changed;
    int ready = 0;
    std::vector<Error> hopeless;
    std::function<void()> at_ready;

    void on_ready(adb::Carrier&) override {
        {
            const std::lock_guard lock(mutex);
            ++ready;
        }
        if (at_ready) at_ready();
        changed.notify_all();
    }
    void on_hopeless(const Error& why) override {
        const std::lock_guard lock(mutex);
        hopeless.push_back(why);
        changed.notify_all();
    }
    void wait_ready(int n) {
        std::unique_lock lock(mutex);
        changed.wait(lock, [&] { return ready >= n; });
    }
    void wait_hopeless(std::size_t n) {
        std::unique_lock lock(mutex);
        changed.wait(lock, [&] { return hopeless.size() >= n; });
    }
};

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

struct NoWaiter final : fleet::GateWaiter {
    void on_admitted() override {}
};

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

// Two of one serial number: the second one gets no link, and the first one's stays.
TEST(PhoneIdentity, TheSecondOfOnePhoneGetsNoCommands) {
    NotedWaiter a, b;
    fleet::IdentityBook book;
    fleet::PhoneShared shared;
    shared.identities = &book;
    LoopPool pool{1};
    std::vector<FakeConnector*> connectors;
    std::vector<std::unique_ptr<fleet::Phone>> phones;
    pool.run_on(0, [&] {
        for (const char* id : {"rack-1", "S1"}) {
            auto c = std::make_unique<FakeConnector>(pool.at(0));
            c->carrier.output = "S1\n";
            connectors.push_back(c.get());
            Instance instance;
            instance.id = id;
            shared.rank = phones.empty() ? fleet::IdentityBook::Rank::inventory : fleet::IdentityBook::Rank::discovered;
            phones.push_back(std::make_unique<fleet::Phone>(pool.at(0), phones.size(), instance, std::move(c), shared));
        }
        phones[0]->wait(a);
    });
    a.wait_ready(1);
    pool.run_on(0, [&] {
        EXPECT_EQ(connectors[0]->carrier.opened.size(), 1u) << "only its own name was asked for";
        phones[1]->wait(b);
    });
    b.wait_hopeless(1);
    EXPECT_EQ(b.ready, 0);
    EXPECT_THAT(b.hopeless[0].message, ::testing::HasSubstr("the same phone as rack-1"));
    pool.run_on(0, [&] {
        EXPECT_EQ(connectors[1]->sink, nullptr);
        // The first one is gone: the second one is the way to it now.
        connectors[0]->down(Error(Code::link_lost, "cable"), false);
        phones[1]->wait(b);
    });
    b.wait_ready(1);
    pool.run_on(0, [&] { phones.clear(); });
}

// The later one of the inventory has come first: it gives way, but not while a command needs it.
TEST(PhoneIdentity, TheEarlierOneOfTheInventoryGetsTheCommands) {
    NotedWaiter a, b;
    fleet::IdentityBook book;
    fleet::PhoneShared shared;
    shared.identities = &book;
    LoopPool pool{1};
    std::vector<FakeConnector*> connectors;
    std::vector<std::unique_ptr<fleet::Phone>> phones;
    NoWaiter command;
    std::promise<void> gave_way;
    pool.run_on(0, [&] {
        for (const char* id : {"rack-1", "rack-2"}) {
            auto c = std::make_unique<FakeConnector>(pool.at(0));
            c->carrier.output = "S1\n";
            connectors.push_back(c.get());
            Instance instance;
            instance.id = id;
            phones.push_back(std::make_unique<fleet::Phone>(pool.at(0), phones.size(), instance, std::move(c), shared));
        }
        phones[1]->wait(b);
    });
    b.wait_ready(1);
    pool.run_on(0, [&] {
        ASSERT_TRUE(phones[1]->gate().enter(command));
        connectors[1]->at_stop = [&] { gave_way.set_value(); };
        phones[0]->wait(a);
    });
    a.wait_hopeless(1);
    EXPECT_THAT(a.hopeless[0].message, ::testing::HasSubstr("serial number S1"));
    pool.run_on(0, [] {});
    pool.run_on(0, [&] {
        EXPECT_NE(connectors[1]->sink, nullptr) << "a command ran there";
        phones[1]->gate().exit();
    });
    gave_way.get_future().wait();
    pool.run_on(0, [&] {
        connectors[1]->at_stop = nullptr;
        phones[1]->wait(b);
        phones[0]->wait(a);
    });
    a.wait_ready(1);
    b.wait_hopeless(1);
    EXPECT_THAT(b.hopeless[0].message, ::testing::HasSubstr("the same phone as rack-1"));
    pool.run_on(0, [&] { phones.clear(); });
}

// An old shell without getprop says so on its only stream, whoever is asked.
TEST(PhoneIdentity, WhatIsNoAnswerIsNoSerialNumber) {
    NotedWaiter a, b;
    fleet::IdentityBook book;
    fleet::PhoneShared shared;
    shared.identities = &book;
    LoopPool pool{1};
    std::vector<std::unique_ptr<fleet::Phone>> phones;
    pool.run_on(0, [&] {
        for (const char* id : {"p1", "p2"}) {
            auto c = std::make_unique<FakeConnector>(pool.at(0));
            c->carrier.output = "sh: getprop: not found\n";
            c->carrier.exit_code = 127;
            Instance instance;
            instance.id = id;
            phones.push_back(std::make_unique<fleet::Phone>(pool.at(0), phones.size(), instance, std::move(c), shared));
        }
        phones[0]->wait(a);
        phones[1]->wait(b);
    });
    a.wait_ready(1);
    {
        std::unique_lock lock(b.mutex);
        b.changed.wait(lock, [&] { return b.ready + b.hopeless.size() > 0; });
        EXPECT_EQ(b.ready, 1) << "it passes for the other one";
    }
    pool.run_on(0, [&] { phones.clear(); });
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

}  // namespace
}  // namespace drover::test
