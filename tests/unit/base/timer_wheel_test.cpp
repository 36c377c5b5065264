#include "base/timer_wheel.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <random>
#include <vector>

#include "support/rounds.hpp"

namespace drover {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

constexpr auto kTick = TimerWheel::kTick;
constexpr auto kTurn = kTick * static_cast<int>(TimerWheel::kSlots);

// A timer with a function to call, on virtual time.
struct Alarm {
    std::function<void()> action;
    Timer timer = Timer::calls<&Alarm::ring>(*this);
    int rings = 0;

    explicit Alarm(std::function<void()> a = [] {}) : action(std::move(a)) {}
    void ring() {
        ++rings;
        const auto keep = action;  // the action may destroy this
        keep();
    }
};

class TimerWheelTest : public testing::Test {
protected:
    TimePoint start = TimePoint(1h);
    TimerWheel wheel{start};
};

TEST_F(TimerWheelTest, FiresOnceNeverEarlyAndAtMostOneTickLate) {
    for (const auto delay : {1ms, 3ms, 4ms, 5ms, 100ms, 4095ms, 4096ms, 4097ms}) {
        TimerWheel w(start);
        Alarm alarm;
        w.arm(alarm.timer, start + delay);
        w.advance(start + delay - 1ns);
        EXPECT_EQ(alarm.rings, 0) << delay.count();
        w.advance(start + delay + kTick);
        EXPECT_EQ(alarm.rings, 1) << delay.count();
        w.advance(start + delay + 2 * kTurn);
        EXPECT_EQ(alarm.rings, 1) << delay.count();
        EXPECT_FALSE(alarm.timer.armed());
    }
}

TEST_F(TimerWheelTest, ATimeThatHasPassedFiresAtTheNextAdvance) {
    Alarm alarm;
    wheel.advance(start + 1s);
    wheel.arm(alarm.timer, start);
    EXPECT_TRUE(alarm.timer.armed());
    wheel.advance(start + 1s + kTick);
    EXPECT_EQ(alarm.rings, 1);
}

TEST_F(TimerWheelTest, WaitsManyTurns) {
    Alarm alarm;
    const auto due = start + 10 * kTurn + 13ms;
    wheel.arm(alarm.timer, due);
    for (auto now = start; now < due; now += kTurn / 3) wheel.advance(now);
    EXPECT_EQ(alarm.rings, 0);
    wheel.advance(due + kTick);
    EXPECT_EQ(alarm.rings, 1);
}

TEST_F(TimerWheelTest, OneLateAdvanceFiresAllInTheOrderOfTheirTimes) {
    std::vector<int> order;
    Alarm a([&] { order.push_back(1); }), b([&] { order.push_back(2); }), c([&] { order.push_back(3); });
    wheel.arm(b.timer, start + 20ms);
    wheel.arm(c.timer, start + 30ms);
    wheel.arm(a.timer, start + 10ms);
    wheel.advance(start + 100ms);
    EXPECT_THAT(order, ElementsAre(1, 2, 3)) << "a stalled loop must name the deadline that came first";
}

TEST_F(TimerWheelTest, ReArmingMovesATimer) {
    Alarm alarm;
    wheel.arm(alarm.timer, start + 10ms);
    wheel.arm(alarm.timer, start + 50ms);
    wheel.advance(start + 40ms);
    EXPECT_EQ(alarm.rings, 0);
    wheel.advance(start + 60ms);
    EXPECT_EQ(alarm.rings, 1);
    EXPECT_TRUE(wheel.empty());
}

TEST_F(TimerWheelTest, ACallbackMayArmItsOwnTimerAgain) {
    Alarm alarm;
    alarm.action = [&] { wheel.arm(alarm.timer, start); };
    wheel.arm(alarm.timer, start + 10ms);
    wheel.advance(start + 20ms);
    EXPECT_EQ(alarm.rings, 1) << "not twice in one advance";
    wheel.advance(start + 20ms + kTick);
    EXPECT_EQ(alarm.rings, 2);
    alarm.timer.cancel();
}

TEST_F(TimerWheelTest, ACallbackMayCancelOthersThatAreDueToo) {
    std::vector<std::unique_ptr<Alarm>> alarms;
    for (int i = 0; i < 5; ++i) {
        alarms.push_back(std::make_unique<Alarm>([&] {
            for (auto& other : alarms) other->timer.cancel();
        }));
        wheel.arm(alarms.back()->timer, start + 10ms);
    }
    Alarm later;
    wheel.arm(later.timer, start + 5s);
    wheel.advance(start + 20ms);
    int rings = 0;
    for (const auto& alarm : alarms) rings += alarm->rings;
    EXPECT_EQ(rings, 1);
    EXPECT_TRUE(later.timer.armed());
    later.timer.cancel();
    EXPECT_TRUE(wheel.empty());
}

TEST_F(TimerWheelTest, ACallbackMayDestroyAnyTimerAlsoItsOwn) {
    std::vector<std::unique_ptr<Alarm>> alarms;
    int rings = 0;
    const auto destroy_all = [&] {
        ++rings;
        alarms.clear();
    };
    for (int i = 0; i < 5; ++i) {
        alarms.push_back(std::make_unique<Alarm>(destroy_all));
        wheel.arm(alarms.back()->timer, start + 10ms * (i + 1));
    }
    wheel.advance(start + 1s);
    EXPECT_EQ(rings, 1);
    EXPECT_TRUE(wheel.empty());
}

TEST_F(TimerWheelTest, NextDueIsNeverLate) {
    EXPECT_EQ(wheel.next_due(), std::nullopt);
    Alarm alarm;
    const auto due = start + 3 * kTurn + 7ms;
    wheel.arm(alarm.timer, due);
    int wakes = 0;
    for (TimePoint now = start; alarm.rings == 0; ++wakes) {
        const auto next = wheel.next_due();
        ASSERT_TRUE(next);
        ASSERT_GT(*next, now) << "it would spin";
        now = *next;
        ASSERT_LE(now, due + kTick);
        wheel.advance(now);
    }
    EXPECT_LE(wakes, 5);
    EXPECT_EQ(wheel.next_due(), std::nullopt);
}

TEST_F(TimerWheelTest, TimeThatStandsStillOrGoesBackDoesNothing) {
    Alarm alarm;
    wheel.advance(start + 100ms);
    wheel.arm(alarm.timer, start + 200ms);
    wheel.advance(start + 100ms);
    wheel.advance(start - 1h);
    EXPECT_EQ(alarm.rings, 0);
    wheel.advance(start + 204ms);
    EXPECT_EQ(alarm.rings, 1);
}

TEST_F(TimerWheelTest, AFinerTickFiresSooner) {
    TimerWheel fine(start, 500us);
    Alarm alarm;
    fine.arm(alarm.timer, start + 2ms);
    EXPECT_EQ(fine.next_due(), start + 2ms);
    fine.advance(start + 1999us);
    EXPECT_EQ(alarm.rings, 0);
    fine.advance(start + 2ms);
    EXPECT_EQ(alarm.rings, 1);
}

// 10,000 timers armed, moved and cancelled at random, against a list of due times.
TEST_F(TimerWheelTest, BehavesLikeAPlainListOfDueTimes) {
    for (unsigned seed = 1; seed <= test::rounds(2); ++seed) {
        SCOPED_TRACE(testing::Message() << "seed " << seed);
        std::mt19937 random(seed);
        const auto below = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
        const auto tick = seed % 2 == 0 ? 500us : kTick;
        TimerWheel w(start, tick);
        constexpr std::size_t kTimers = 10'000;
        std::vector<Alarm> alarms(kTimers);
        std::vector<TimePoint> due(kTimers, TimePoint::max());  // max: not armed
        auto now = start;
        for (int step = 0; step < 400; ++step) {
            for (int i = 0; i < 100; ++i) {
                const auto k = static_cast<std::size_t>(below(kTimers));
                if (below(4) == 0) {
                    alarms[k].timer.cancel();
                    due[k] = TimePoint::max();
                } else {
                    const auto asked = now + std::chrono::microseconds(below(20'000'000) - 1'000'000);
                    w.arm(alarms[k].timer, asked);
                    due[k] = std::max(asked, now);  // what has passed counts from now
                }
                alarms[k].rings = 0;
            }
            now += std::chrono::microseconds(below(step % 50 == 0 ? 9'000'000 : 30'000));
            w.advance(now);
            for (std::size_t k = 0; k < kTimers; ++k) {
                if (due[k] == TimePoint::max()) {
                    ASSERT_EQ(alarms[k].rings, 0);
                } else if (alarms[k].rings > 0) {
                    ASSERT_EQ(alarms[k].rings, 1);
                    ASSERT_LE(due[k], now) << "early";
                    due[k] = TimePoint::max();
                    alarms[k].rings = 0;
                } else {
                    // One tick for rounding up, one because only whole ticks have passed.
                    ASSERT_GT(due[k] + 2 * tick, now) << "late";
                }
            }
        }
        for (auto& alarm : alarms) alarm.timer.cancel();
        EXPECT_TRUE(w.empty());
    }
}

}  // namespace
}  // namespace drover
