// Phones that are one by their serial number, while phones are disabled or the inventory is read again.
#include <gmock/gmock.h>

#include "support/fake_phone.hpp"
#include "support/loop_time.hpp"
#include "support/noted_waiter.hpp"

namespace drover::test {
namespace {

using Rank = fleet::IdentityBook::Rank;

constexpr std::chrono::milliseconds kDueByThen{20};  // what a phone puts off to a clean stack

class PhoneClaim : public ::testing::Test {
protected:
    PhoneClaim() { shared.identities = &book; }
    ~PhoneClaim() override {
        pool.run_on(0, [&] { phones.clear(); });
    }
    void make(const std::string& id, Rank rank = Rank::inventory) {
        pool.run_on(0, [&] {
            auto made = std::make_unique<FakeConnector>(pool.at(0));
            made->carrier.output = "S1\n";
            connectors.push_back(made.get());
            Instance instance;
            instance.id = id;
            shared.rank = rank;
            phones.push_back(
                std::make_unique<fleet::Phone>(pool.at(0), phones.size(), instance, std::move(made), shared));
        });
    }
    void wait(std::size_t phone, NotedWaiter& waiter) {
        pool.run_on(0, [&] { phones[phone]->wait(waiter); });
    }
    void remove(std::size_t phone) {
        pool.run_on(0, [&] { phones[phone].reset(); });
    }
    // rack-2 has come first and runs a command; rack-1 has asked for the way.
    void let_the_first_ask_while_the_second_is_busy() {
        make("rack-1");
        make("rack-2");
        wait(1, b);
        b.wait_ready(1);
        pool.run_on(0, [&] { ASSERT_TRUE(phones[1]->gate().enter(command)); });
        wait(0, a);
        a.wait_hopeless(1);
    }
    void end_the_command() {
        pool.run_on(0, [&] { phones[1]->gate().exit(); });
        let_time_pass(pool, kDueByThen);
    }

    NotedWaiter a, b, c;
    NoWaiter command;
    fleet::IdentityBook book;
    fleet::PhoneShared shared;
    LoopPool pool{1};
    std::vector<FakeConnector*> connectors;
    std::vector<std::unique_ptr<fleet::Phone>> phones;
};

TEST_F(PhoneClaim, NobodyGivesWayToAPhoneThatWasDisabledMeanwhile) {
    let_the_first_ask_while_the_second_is_busy();
    pool.run_on(0, [&] { phones[0]->set_service(Error(Code::disabled, "its cable is worn")); });
    end_the_command();
    wait(1, b);
    b.wait_ready(2);
    EXPECT_TRUE(b.hopeless.empty()) << b.hopeless[0].message;
    pool.run_on(0, [&] { EXPECT_EQ(connectors[1]->starts, 1) << "its link was given up"; });
}

TEST_F(PhoneClaim, NobodyGivesWayToAPhoneThatLeftTheInventory) {
    let_the_first_ask_while_the_second_is_busy();
    remove(0);
    end_the_command();
    pool.run_on(0, [&] { phones[1]->wait(b); });
    pool.run_on(0, [&] { EXPECT_TRUE(b.hopeless.empty()) << b.hopeless[0].message; });
    b.wait_ready(2);
}

// Its address has changed: the new one is up before the last call on the old one ends.
TEST_F(PhoneClaim, AnOlderPhoneOfTheSameNameTakesNothingAlong) {
    make("rack-1");
    wait(0, a);
    a.wait_ready(1);
    make("rack-1");
    wait(1, b);
    b.wait_ready(1);
    remove(0);
    make("S1", Rank::discovered);
    wait(2, c);
    let_time_pass(pool, kDueByThen);
    EXPECT_EQ(c.ready, 0) << "one phone gets commands twice";
    c.wait_hopeless(1);
}

}  // namespace
}  // namespace drover::test
