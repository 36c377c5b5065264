#include "base/work_pool.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <future>

namespace drover {
namespace {

TEST(WorkPool, RunsWhatIsQueuedBeforeItEnds) {
    std::atomic<int> ran = 0;
    {
        WorkPool pool(2);
        for (int i = 0; i < 100; ++i) pool.post([&] { ++ran; });
    }
    EXPECT_EQ(ran, 100);
}

TEST(WorkPool, AfterStopAJobRunsAtOnce) {
    WorkPool pool(1);
    pool.stop();
    bool ran = false;
    pool.post([&] { ran = true; });
    EXPECT_TRUE(ran);
}

TEST(WorkPool, SerialJobsKeepTheirOrderAndNeverOverlap) {
    std::vector<int> order;
    std::atomic<int> at_once = 0;
    {
        WorkPool pool(4);
        const auto serial = std::make_shared<SerialWork>(pool);
        for (int i = 0; i < 200; ++i) {
            serial->post([&, i] {
                EXPECT_EQ(++at_once, 1);
                order.push_back(i);
                --at_once;
            });
        }
    }
    ASSERT_EQ(order.size(), 200u);
    EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST(WorkPool, OneSlowQueueDoesNotStopAnother) {
    std::promise<void> other_ran;
    WorkPool pool(2);
    const auto slow = std::make_shared<SerialWork>(pool);
    const auto other = std::make_shared<SerialWork>(pool);
    slow->post([&] { other_ran.get_future().wait(); });
    slow->post([] {});
    other->post([&] { other_ran.set_value(); });
}

}  // namespace
}  // namespace drover
