// Who may move much at once.
#include "dispatch/turns.hpp"

#include <gtest/gtest.h>

namespace drover::dispatch {
namespace {

class TurnsTest : public testing::Test {
protected:
    struct Asked {
        std::unique_ptr<Turns::Turn> turn;
        std::shared_ptr<int> given = std::make_shared<int>(0);
    };
    Asked ask(const std::string& hub, TransferTurns limits = {2, 1}) {
        Asked asked;
        asked.turn = turns.ask(hub, limits, [given = asked.given] { ++*given; });
        return asked;
    }
    Turns turns;
};

TEST_F(TurnsTest, TheHostHasSoMany) {
    auto a = ask(""), b = ask(""), c = ask(""), d = ask("");
    EXPECT_EQ(*a.given + *b.given, 2);
    EXPECT_EQ(*c.given + *d.given, 0);
    a.turn.reset();
    EXPECT_EQ(*c.given, 1) << "who asked first";
    EXPECT_EQ(*d.given, 0);
    c.turn.reset();
    EXPECT_EQ(*d.given, 1);
    EXPECT_EQ(turns.taken(), 2U);
}

TEST_F(TurnsTest, AHubHasFewerAndHoldsNobodyElseUp) {
    auto a = ask("1-4"), b = ask("1-4"), c = ask("1-5");
    EXPECT_EQ(*a.given, 1);
    EXPECT_EQ(*b.given, 0);
    EXPECT_EQ(*c.given, 1);
    c.turn.reset();
    EXPECT_EQ(*b.given, 0) << "its hub is busy";
    a.turn.reset();
    EXPECT_EQ(*b.given, 1);
}

TEST_F(TurnsTest, WhoLeavesTheQueueIsNotCalled) {
    auto a = ask("", {1, 1}), b = ask("", {1, 1}), c = ask("", {1, 1});
    b.turn.reset();
    a.turn.reset();
    EXPECT_EQ(*b.given, 0);
    EXPECT_EQ(*c.given, 1);
    c.turn.reset();
    EXPECT_EQ(turns.taken(), 0U);
}

TEST_F(TurnsTest, EachJobHasItsOwnNumber) {
    auto a = ask("", {1, 1}), narrow = ask("", {1, 1}), wide = ask("", {2, 1});
    EXPECT_EQ(*narrow.given, 0);
    EXPECT_EQ(*wide.given, 1);
}

TEST_F(TurnsTest, TheHubIsThePathWithoutItsLastPort) {
    EXPECT_EQ(hub_of("1-4.2"), "1-4");
    EXPECT_EQ(hub_of("1-4.2.3"), "1-4.2");
    EXPECT_EQ(hub_of("1-4"), "1");
    EXPECT_EQ(hub_of(""), "");
}

}  // namespace
}  // namespace drover::dispatch
