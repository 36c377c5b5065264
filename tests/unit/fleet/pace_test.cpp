#include "fleet/pace.hpp"

#include <gtest/gtest.h>

namespace drover::fleet {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kPaceStart = TimePoint{} + 1h;

int at_once(Pace& pace, TimePoint now, int tries) {
    int went = 0;
    for (int i = 0; i < tries; ++i) went += pace.take(now).wait == Duration::zero() ? 1 : 0;
    return went;
}

TEST(Pace, LetsABurstThroughAndNoMore) {
    Pace pace(10);
    EXPECT_EQ(at_once(pace, kPaceStart, 11), 10);
}

TEST(Pace, WhoMustWaitHasATurnOfTheirOwn) {
    Pace pace(10);
    ASSERT_EQ(at_once(pace, kPaceStart, 10), 10);
    EXPECT_EQ(pace.take(kPaceStart).wait, 100ms);
    EXPECT_EQ(pace.take(kPaceStart).wait, 200ms);
    EXPECT_EQ(pace.take(kPaceStart + 50ms).wait, 250ms) << "after those who asked before";
    EXPECT_EQ(pace.take(kPaceStart + 350ms).wait, 50ms);
    EXPECT_EQ(pace.take(kPaceStart + 500ms).wait, Duration::zero());
}

TEST(Pace, WhatWasNotUsedIsNotSavedUpWithoutEnd) {
    Pace pace(10);
    ASSERT_EQ(at_once(pace, kPaceStart, 10), 10);
    EXPECT_EQ(at_once(pace, kPaceStart + 10s, 11), 10);
}

// However many ask: no more turns than the rate allows, and those nobody comes to are forgotten.
TEST(Pace, ThousandsWhoAskGetNoMoreThanTheRate) {
    Pace pace(10);
    int granted = 0;
    for (int i = 0; i < 100'000; ++i) {
        const auto turn = pace.take(kPaceStart);
        EXPECT_LE(turn.wait, Pace::kTurnMax);
        granted += turn.granted ? 1 : 0;
    }
    EXPECT_LE(granted, 10 + 10 * 15 + 1);
    EXPECT_EQ(pace.take(kPaceStart + Pace::kTurnMax + 200ms).wait, Duration::zero());
}

}  // namespace
}  // namespace drover::fleet
