#include "base/loop_pool.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <set>

#include "support/rounds.hpp"

namespace drover {
namespace {

using namespace std::chrono_literals;

TEST(LoopPool, HasTheLoopsItWasAskedFor) {
    EXPECT_EQ(LoopPool(3).size(), 3u);
    EXPECT_EQ(LoopPool(0).size(), std::max(1u, std::thread::hardware_concurrency()));
}

TEST(LoopPool, EachLoopIsOneThreadOfItsOwn) {
    LoopPool pool(4);
    std::set<std::thread::id> threads{std::this_thread::get_id()};
    for (std::size_t i = 0; i < pool.size(); ++i) {
        EXPECT_FALSE(pool.at(i).on_this_thread());
        pool.run_on(i, [&] {
            EXPECT_TRUE(pool.at(i).on_this_thread());
            threads.insert(std::this_thread::get_id());
        });
    }
    EXPECT_EQ(threads.size(), 5u);
}

TEST(LoopPool, AnyThreadMayPostAndOneThreadsPostsKeepTheirOrder) {
    constexpr int kThreads = 4, kPosts = 2000;
    for (unsigned round = 0; round < test::rounds(2); ++round) {
        LoopPool pool(2);
        std::vector<int> seen[kThreads];  // touched on loop 1 only
        std::atomic<int> left = kThreads * kPosts;
        std::promise<void> done;
        std::vector<std::thread> threads;
        for (int t = 0; t < kThreads; ++t) {
            threads.emplace_back([&, t] {
                for (int i = 0; i < kPosts; ++i) {
                    pool.at(1).post([&, t, i] {
                        seen[t].push_back(i);
                        if (--left == 0) done.set_value();
                    });
                }
            });
        }
        for (auto& thread : threads) thread.join();
        done.get_future().wait();
        for (const auto& one : seen) {
            ASSERT_EQ(one.size(), static_cast<std::size_t>(kPosts));
            EXPECT_TRUE(std::is_sorted(one.begin(), one.end()));
        }
    }
}

struct Waiter {
    std::promise<TimePoint> fired;
    void on_due() { fired.set_value(Clock::now()); }
    Timer timer = Timer::calls<&Waiter::on_due>(*this);
};

TEST(LoopPool, TimersFireOnTheirLoopNeverEarly) {
    LoopPool pool(1);
    Waiter late, early;
    TimePoint armed;
    pool.run_on(0, [&] {
        armed = pool.at(0).now();
        pool.at(0).arm_after(late.timer, 60ms);
        pool.at(0).arm_after(early.timer, 20ms);  // moves the wake-up forward
    });
    EXPECT_GE(early.fired.get_future().get(), armed + 20ms);
    EXPECT_GE(late.fired.get_future().get(), armed + 60ms);
}

TEST(LoopPool, AnEmptyLoopWakesForATimerArmedLater) {
    LoopPool pool(1);
    for (int i = 0; i < 3; ++i) {
        Waiter waiter;
        pool.run_on(0, [&] { pool.at(0).arm_after(waiter.timer, 5ms); });
        waiter.fired.get_future().wait();
    }
}

TEST(LoopPool, ACancelledTimerDoesNotFire) {
    LoopPool pool(1);
    Waiter cancelled, after;
    auto future = cancelled.fired.get_future();
    pool.run_on(0, [&] {
        pool.at(0).arm_after(cancelled.timer, 5ms);
        pool.at(0).arm_after(after.timer, 30ms);
        cancelled.timer.cancel();
    });
    after.fired.get_future().wait();
    EXPECT_EQ(future.wait_for(0s), std::future_status::timeout);
}

// What a posted handler holds may hold an armed timer: a phone with deadlines, when the program stops.
TEST(LoopPool, WhatWasPostedButNotRunIsDestroyedWithItsTimers) {
    struct Armed {
        std::atomic<int>& alive;
        Waiter waiter;
        explicit Armed(std::atomic<int>& a) : alive(a) { ++alive; }
        ~Armed() { --alive; }
    };
    std::atomic<int> alive = 0;
    {
        LoopPool pool(1);
        pool.run_on(0, [&] {
            auto held = std::make_shared<Armed>(alive);
            pool.at(0).arm_after(held->waiter.timer, 1h);
            pool.at(0).io().stop();
            pool.at(0).post([held] { ADD_FAILURE() << "it must not run"; });
        });
        EXPECT_EQ(alive, 1);
    }
    EXPECT_EQ(alive, 0);
}

TEST(LoopPool, StopMayBeCalledTwice) {
    LoopPool pool(2);
    pool.stop();
    pool.stop();
}

}  // namespace
}  // namespace drover
