// Phones that are one by their serial number: who gets the commands.
#include <gmock/gmock.h>

#include <future>

#include "support/fake_phone.hpp"
#include "support/noted_waiter.hpp"

namespace drover::test {
namespace {

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

class TwoEntriesOfOnePhone : public ::testing::Test {
    fleet::IdentityBook book_;  // outlives the phones
    fleet::PhoneShared shared_;

protected:
    TwoEntriesOfOnePhone() {
        shared_.identities = &book_;
        pool.run_on(0, [&] {
            for (const char* id : {"rack-1", "rack-2"}) {
                auto c = std::make_unique<FakeConnector>(pool.at(0));
                c->carrier.output = "S1\n";
                connectors.push_back(c.get());
                Instance instance;
                instance.id = id;
                phones.push_back(
                    std::make_unique<fleet::Phone>(pool.at(0), phones.size(), instance, std::move(c), shared_));
            }
        });
    }
    ~TwoEntriesOfOnePhone() override {
        pool.run_on(0, [&] { phones.clear(); });
    }

    NotedWaiter a, b;
    LoopPool pool{1};
    std::vector<FakeConnector*> connectors;
    std::vector<std::unique_ptr<fleet::Phone>> phones;
};

// The later one of the inventory has come first, and nothing runs there: who waits for the earlier one gets it.
TEST_F(TwoEntriesOfOnePhone, AnIdlePhoneGivesWayAtOnce) {
    pool.run_on(0, [&] { phones[1]->wait(b); });
    b.wait_ready(1);
    pool.run_on(0, [&] { phones[0]->wait(a); });
    a.wait_ready(1);
    EXPECT_TRUE(a.hopeless.empty());
    pool.run_on(0, [&] { phones[1]->wait(b); });
    b.wait_hopeless(1);
}

// The inventory was read again, and the two have changed places.
TEST_F(TwoEntriesOfOnePhone, WhoHasComeToBeTheEarlierOneGetsTheCommands) {
    pool.run_on(0, [&] { phones[0]->wait(a); });
    a.wait_ready(1);
    pool.run_on(0, [&] {
        phones[0]->set_place(1, fleet::IdentityBook::Rank::inventory);
        phones[1]->set_place(0, fleet::IdentityBook::Rank::inventory);
        phones[1]->wait(b);
    });
    b.wait_ready(1);
    EXPECT_TRUE(b.hopeless.empty());
}

// The later one of the inventory has come first: it gives way, but not while a command needs it.
TEST_F(TwoEntriesOfOnePhone, TheEarlierOneOfTheInventoryGetsTheCommands) {
    NoWaiter command;
    std::promise<void> gave_way;
    pool.run_on(0, [&] { phones[1]->wait(b); });
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

}  // namespace
}  // namespace drover::test
