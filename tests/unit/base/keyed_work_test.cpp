// Jobs that hang hold up their own key and nobody else's.
#include "base/keyed_work.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace drover {
namespace {

constexpr std::chrono::seconds kPatience{20};

// Jobs that hang until they are let go.
class Hanging {
public:
    ~Hanging() { let_go(); }
    KeyedWork::Job job() {
        return [hang = hang_, until = until_] {
            ++*hang;
            until.wait();
        };
    }
    void let_go() {
        if (!std::exchange(gone_, true)) go_.set_value();
    }
    int hang() const { return *hang_; }

private:
    std::promise<void> go_;
    std::shared_future<void> until_{go_.get_future()};
    std::shared_ptr<std::atomic<int>> hang_ = std::make_shared<std::atomic<int>>(0);  // some begin once it is gone
    bool gone_ = false;
};

bool runs(KeyedWork& work, const std::string& key) {
    auto ran = std::make_shared<std::promise<void>>();
    auto done = ran->get_future();
    work.post(key, [ran] { ran->set_value(); });
    return done.wait_for(kPatience) == std::future_status::ready;
}

TEST(KeyedWork, FewerKeysThatHangThanThreadsDelayNoOther) {
    constexpr std::size_t kThreads = 6;
    KeyedWork work(kThreads);
    Hanging hanging;
    for (std::size_t i = 0; i + 1 < kThreads; ++i) work.post("usb:1-" + std::to_string(i), hanging.job());
    EXPECT_TRUE(runs(work, "healthy"));
    EXPECT_TRUE(runs(work, ""));
    EXPECT_TRUE(runs(work, "healthy"));
    EXPECT_LE(work.threads(), kThreads);
}

TEST(KeyedWork, AKeyThatHangsHoldsOneThreadHoweverOftenItIsAsked) {
    KeyedWork work(2);
    Hanging hanging;
    for (int i = 0; i < 20; ++i) work.post("hangs", hanging.job());
    EXPECT_TRUE(runs(work, "healthy"));
    EXPECT_LE(hanging.hang(), 1);
}

TEST(KeyedWork, JobsOfOneKeyRunInOrderAndAllOfThemAtTheEnd) {
    std::vector<int> order;  // one key: one at a time
    std::atomic<int> others = 0;
    {
        KeyedWork work(4);
        Hanging hanging;
        work.post("a", hanging.job());
        for (int i = 0; i < 100; ++i) {
            work.post("a", [&order, i] { order.push_back(i); });
            work.post("", [&others] { ++others; });
        }
        hanging.let_go();
    }
    ASSERT_EQ(order.size(), 100u);
    for (int i = 0; i < 100; ++i) EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
    EXPECT_EQ(others, 100);
}

TEST(KeyedWork, ThreadsAreMadeWhenTheyAreNeeded) {
    KeyedWork work(16);
    EXPECT_EQ(work.threads(), 0u);
    for (int i = 0; i < 50; ++i) ASSERT_TRUE(runs(work, "k"));
    EXPECT_LE(work.threads(), 2u) << "one that has just ended a job may not wait yet";
}

}  // namespace
}  // namespace drover
