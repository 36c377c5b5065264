#include "fleet/backoff.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace drover::fleet {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kLost = TimePoint{} + 1h;

// When a phone that stays away is tried, for that long after it was lost.
std::vector<Duration> tries_of(Backoff& backoff, Duration until, bool hopeless = false,
                               const Backoff::Breaker* breaker = nullptr) {
    std::vector<Duration> tries;
    for (TimePoint now = kLost; now < kLost + until;) {
        now += backoff.next(now, tries.empty(), hopeless, breaker);
        tries.push_back(now - kLost);
    }
    return tries;
}

Duration longest_gap(const std::vector<Duration>& tries, Duration from, Duration to) {
    Duration longest{};
    for (std::size_t i = 1; i < tries.size(); ++i) {
        if (tries[i - 1] >= from && tries[i] <= to) longest = std::max(longest, tries[i] - tries[i - 1]);
    }
    return longest;
}

TEST(Backoff, APhoneThatWasLostIsTriedOftenForAMinute) {
    for (std::uint32_t seed = 1; seed <= 50; ++seed) {
        Backoff backoff(seed);
        const auto tries = tries_of(backoff, 60s);
        EXPECT_LE(tries.front(), Backoff::kFirst);
        EXPECT_GE(tries.front(), Backoff::kFirst / 2);
        EXPECT_LE(longest_gap(tries, 0s, 60s), Backoff::kSoonMax);
        EXPECT_LE(tries.size(), 60s / (Backoff::kSoonMax / 2));
    }
}

TEST(Backoff, ThenLessAndLessOften) {
    Backoff backoff(1);
    const auto tries = tries_of(backoff, 1h);
    EXPECT_LE(longest_gap(tries, 0s, 1h), Backoff::kMax);
    EXPECT_LE(tries.size(), 400U + 3600 / 7);  // a minute of soon, an hour of kMax / 2 at least
    EXPECT_GE(longest_gap(tries, 5min, 1h), Backoff::kMax / 2);
}

TEST(Backoff, PhonesOfOneHubDoNotComeTogether) {
    Backoff one(1), other(2);
    EXPECT_NE(tries_of(one, 10s), tries_of(other, 10s));
}

TEST(Backoff, WhereTryingSoonDoesNotHelpItIsNotDone) {
    Backoff backoff(1);
    EXPECT_LT(tries_of(backoff, 60s, true).size(), 16U);
}

TEST(Backoff, AnOpenBreakerMeansOncePerPause) {
    Backoff backoff(1);
    const Backoff::Breaker breaker{3, 10min};
    const auto tries = tries_of(backoff, 1h, false, &breaker);
    EXPECT_LE(tries[1], 1s);
    EXPECT_GE(longest_gap(tries, 0s, 1h), 5min);
    EXPECT_GE(tries[2], 5min) << "the third failure opens it";
}

TEST(Backoff, AStableLinkStartsItAgain) {
    Backoff backoff(1);
    tries_of(backoff, 1h);
    EXPECT_LE(backoff.next(kLost + 2h, true, false, nullptr), Backoff::kFirst);
    EXPECT_EQ(backoff.failures(), 1U);
    EXPECT_LE(backoff.next(kLost + 2h + 1s, false, false, nullptr), Backoff::kFirst * 2);
}

// Its link was up for hours, and then came to nothing: one failure more, but as good a chance to come back soon as any.
TEST(Backoff, AFreshLossIsTriedSoonWhateverFailedBefore) {
    Backoff backoff(1);
    tries_of(backoff, 1h);
    const auto failures = backoff.failures();
    backoff.lost(kLost + 5h);
    EXPECT_LE(backoff.next(kLost + 5h, false, false, nullptr), Backoff::kFirst);
    for (TimePoint now = kLost + 5h; now < kLost + 5h + 50s;) {
        const auto wait = backoff.next(now, false, false, nullptr);
        EXPECT_LE(wait, Backoff::kSoonMax);
        now += wait;
    }
    EXPECT_GT(backoff.failures(), failures);
}

}  // namespace
}  // namespace drover::fleet
