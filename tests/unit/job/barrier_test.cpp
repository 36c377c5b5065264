// Phones that wait for each other, and some that leave.
#include "job/barrier.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <array>

#include "unit/job/job_fixture.hpp"

namespace drover::test {
namespace {

struct ThreePhones {
    job::Barrier barrier{3};
    std::array<char, 3> phones{'a', 'b', 'c'};
    std::string went;
    void arrive(std::size_t phone) {
        barrier.arrive(&phones[phone], [this, phone] { went += phones[phone]; });
    }
    void leave(std::size_t phone) { barrier.leave(&phones[phone]); }
};

TEST(Barrier, AllGoWhenTheLastHasCome) {
    ThreePhones t;
    t.arrive(0);
    t.arrive(1);
    EXPECT_EQ(t.went, "");
    t.arrive(2);
    EXPECT_EQ(t.went, "abc");
    t.arrive(2);
    t.arrive(1);
    EXPECT_EQ(t.went, "abc");
    t.arrive(0);
    EXPECT_EQ(t.went, "abccba");
}

TEST(Barrier, NobodyWaitsForOneThatHasLeft) {
    ThreePhones t;
    t.arrive(0);
    t.arrive(1);
    t.leave(2);
    EXPECT_EQ(t.went, "ab");
    t.arrive(0);
    t.leave(1);
    EXPECT_EQ(t.went, "aba");
}

TEST(Barrier, OneThatLeavesWhileItWaitsDoesNotStandForAnother) {
    ThreePhones t;
    t.arrive(0);
    t.leave(0);
    t.arrive(1);
    EXPECT_EQ(t.went, "");
    t.arrive(2);
    EXPECT_EQ(t.went, "bc");
}

// Takes every place of a phone for commands, until they are given back.
struct Busy final : fleet::GateWaiter {
    fleet::CommandGate& gate;
    explicit Busy(fleet::CommandGate& g) : gate(g) {
        for (std::size_t i = 0; i < fleet::CommandGate::kCommandsMax; ++i) gate.enter(*this);
    }
    void on_admitted() override {}
    void give_back() {
        for (std::size_t i = 0; i < fleet::CommandGate::kCommandsMax; ++i) gate.exit();
    }
};

// p0's limit passes while the others cannot begin yet.
TEST(Barrier, APhoneThatIsLateDoesNotStandForAnother) {
    FakeFleet fleet(3, 1);
    std::vector<std::string> order;
    for (const std::size_t i : {0U, 1U, 2U}) {
        fleet.at(i, [&order, i](FakeConnector& c) {
            c.carrier.before_answer = [&order, i](FakeCarrier& carrier, std::string_view service) {
                play(carrier, service);
                order.push_back(fmt::format("p{} {}", i, service.back()));
            };
        });
    }
    std::vector<std::unique_ptr<Busy>> busy;
    fleet.at(0, [&](FakeConnector&) {
        for (const std::size_t i : {1U, 2U}) busy.push_back(std::make_unique<Busy>(fleet.phones[i]->gate()));
    });
    ToldRows rows;
    const auto call = dispatch::dispatch(request(fleet, job_of("- {name: a, run: out a}\n- {name: b, run: out b}\n",
                                                               "timeout: 50ms\nstrategy: {sync: step}")),
                                         rows);
    rows.came.wait_for(1);
    fleet.at(0, [&](FakeConnector&) {
        for (const auto& b : busy) b->give_back();
    });
    call->wait();
    ASSERT_EQ(rows.rows.size(), 3U);
    EXPECT_EQ(told(rows.rows[0]), "a:skipped b:skipped ");
    ASSERT_GE(order.size(), 2U);
    EXPECT_THAT(std::vector(order.begin(), order.begin() + 2), testing::UnorderedElementsAre("p1 a", "p2 a"));
}

}  // namespace
}  // namespace drover::test
