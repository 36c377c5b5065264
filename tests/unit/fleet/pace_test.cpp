#include "fleet/pace.hpp"

#include <gtest/gtest.h>

namespace drover::fleet {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kPaceStart = TimePoint{} + 1h;

int at_once(Pace& pace, TimePoint now, int tries) {
    int went = 0;
    for (int i = 0; i < tries; ++i) went += pace.take(now) == Duration::zero() ? 1 : 0;
    return went;
}

TEST(Pace, LetsABurstThroughAndNoMore) {
    Pace pace(10);
    EXPECT_EQ(at_once(pace, kPaceStart, 11), 10);
}

TEST(Pace, WhoMustWaitHasATurnOfTheirOwn) {
    Pace pace(10);
    ASSERT_EQ(at_once(pace, kPaceStart, 10), 10);
    EXPECT_EQ(pace.take(kPaceStart), 100ms);
    EXPECT_EQ(pace.take(kPaceStart), 200ms);
    EXPECT_EQ(pace.take(kPaceStart + 50ms), 250ms) << "after those who asked before";
    EXPECT_EQ(pace.take(kPaceStart + 350ms), 50ms);
    EXPECT_EQ(pace.take(kPaceStart + 500ms), Duration::zero());
}

TEST(Pace, WhatWasNotUsedIsNotSavedUpWithoutEnd) {
    Pace pace(10);
    ASSERT_EQ(at_once(pace, kPaceStart, 10), 10);
    EXPECT_EQ(at_once(pace, kPaceStart + 10s, 11), 10);
}

TEST(Pace, TurnsNobodyCameToAreForgotten) {
    Pace pace(10);
    for (int i = 0; i < 100'000; ++i) pace.take(kPaceStart);
    EXPECT_LE(pace.take(kPaceStart), Pace::kTurnMax);
    EXPECT_EQ(pace.take(kPaceStart + Pace::kTurnMax + 200ms), Duration::zero());
}

}  // namespace
}  // namespace drover::fleet
