#include "fleet/hold_book.hpp"

#include <gmock/gmock.h>

#include <thread>

#include "fleet/holds.hpp"

namespace drover::fleet {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Ids = std::vector<std::string>;

class HoldBookTest : public testing::Test {
protected:
    HoldBook::Now now() const { return {TimePoint() + at, std::chrono::system_clock::from_time_t(1'704'067'200) + at}; }
    Ids take(const std::string& run, const Ids& candidates, HoldBook::Want want = {},
             std::optional<Millis> time_to_live = std::nullopt) {
        const auto until = time_to_live ? std::optional(now().time + *time_to_live) : std::nullopt;
        return book.take({run, "ci", "nightly"}, candidates, want, now(), until);
    }
    std::string holder(const std::string& id) const {
        const auto* hold = book.find(id);
        return hold ? hold->holder->run : "";
    }

    Millis at{0};
    HoldBook book;
};

TEST_F(HoldBookTest, ARunTakesWhatNobodyElseHolds) {
    EXPECT_THAT(take("r1", {"a", "b"}), ElementsAre("a", "b"));
    EXPECT_THAT(take("r2", {"a", "b", "c"}), ElementsAre("c"));
    EXPECT_THAT(take("r3", {"a", "b", "c"}), IsEmpty());
    EXPECT_EQ(holder("b"), "r1");
    EXPECT_EQ(holder("c"), "r2");
    EXPECT_EQ(book.phones(), 3u);
    EXPECT_FALSE(book.run("r3"));
}

TEST_F(HoldBookTest, SoManyOrNone) {
    EXPECT_THAT(take("r1", {"a", "b", "c"}, {2, 2}), ElementsAre("a", "b"));
    EXPECT_THAT(take("r2", {"a", "b", "c"}, {2, 2}), IsEmpty());
    EXPECT_EQ(holder("c"), "") << "a take that was not granted kept a phone";
    EXPECT_THAT(take("r2", {"a", "b", "c"}, {1, 1}), ElementsAre("c"));
}

TEST_F(HoldBookTest, WhatARunHasAlreadyIsItsOwn) {
    EXPECT_THAT(take("r1", {"b"}), ElementsAre("b"));
    at = Millis(5'000);
    EXPECT_THAT(take("r1", {"a", "b", "c"}, {2, 2}), ElementsAre("a", "b"));
    EXPECT_EQ(book.find("b")->since, std::chrono::system_clock::from_time_t(1'704'067'200)) << "since when has changed";
    EXPECT_EQ(holder("c"), "");
}

TEST_F(HoldBookTest, ReleaseFreesAllOfARunAndNothingElse) {
    take("r1", {"a", "b"});
    take("r2", {"c"});
    EXPECT_TRUE(book.release("r1"));
    EXPECT_FALSE(book.release("r1"));
    EXPECT_FALSE(book.release("nobody"));
    EXPECT_THAT(take("r3", {"a", "b", "c"}), ElementsAre("a", "b"));
    EXPECT_EQ(holder("c"), "r2");
}

TEST_F(HoldBookTest, ATimeToLiveEnds) {
    take("r1", {"a"}, {}, Millis(100));
    take("r2", {"b"});
    at = Millis(99);
    EXPECT_FALSE(book.expire(now().time));
    EXPECT_EQ(holder("a"), "r1");
    at = Millis(100);
    EXPECT_TRUE(book.expire(now().time));
    EXPECT_EQ(holder("a"), "");
    EXPECT_EQ(holder("b"), "r2") << "without a time to live it holds until it is released";
    EXPECT_FALSE(book.run("r1"));
    // Also without anybody looking in between.
    take("r3", {"a"}, {}, Millis(100));
    at = Millis(500);
    EXPECT_THAT(take("r4", {"a"}), ElementsAre("a"));
}

TEST_F(HoldBookTest, RenewMovesTheEndOrTakesItAway) {
    take("r1", {"a"}, {}, Millis(100));
    at = Millis(90);
    EXPECT_TRUE(book.renew("r1", now(), now().time + Millis(100)));
    at = Millis(150);
    EXPECT_FALSE(book.expire(now().time));
    EXPECT_TRUE(book.renew("r1", now(), std::nullopt));
    at = Millis(1'000'000);
    EXPECT_FALSE(book.expire(now().time));
    EXPECT_EQ(holder("a"), "r1");
    take("r2", {"b"}, {}, Millis(100));
    at += Millis(100);
    EXPECT_FALSE(book.renew("r2", now(), std::nullopt)) << "what is over is not renewed";
    EXPECT_EQ(holder("b"), "");
}

TEST_F(HoldBookTest, RunsAreBounded) {
    for (std::size_t i = 0; i < kHolderRunsMax; ++i) take("r" + std::to_string(i), {"p" + std::to_string(i)});
    EXPECT_EQ(book.phones(), kHolderRunsMax);
    EXPECT_THAT(take("more", {"q"}), IsEmpty());
    EXPECT_THAT(take("r0", {"p0", "q"}), ElementsAre("p0", "q"));
    book.release("r1");
    EXPECT_THAT(take("more", {"z"}), ElementsAre("z"));
}

TEST_F(HoldBookTest, WhoAndSinceWhen) {
    take("0123", {"a"});
    EXPECT_EQ(book.find("a")->text(), "held by 0123 since 2024-01-01T00:00:00Z (job nightly)");
}

class HoldsTest : public testing::Test {
protected:
    HoldBook::Now now() const { return {TimePoint() + at, std::chrono::system_clock::from_time_t(0) + at}; }
    Millis at{0};
    Holds holds{[this] { return now(); }};
    const Ids phones{"a", "b"};
};

TEST_F(HoldsTest, AHoldWaitsForItsRunOnceAndForItsOwnerOnly) {
    holds.take({"r1", "ci", "j"}, phones, {}, Millis(100));
    EXPECT_FALSE(holds.begin("r1", "others"));
    EXPECT_FALSE(holds.begin("r2", "ci"));
    EXPECT_TRUE(holds.begin("r1", "ci"));
    EXPECT_FALSE(holds.begin("r1", "ci")) << "two runs in one hold";
    at = Millis(1'000);
    EXPECT_EQ(holds.phones(), 2u);
    holds.take({"r2", "ci", "j"}, Ids{"c"}, {}, Millis(100));
    at = Millis(1'100);
    EXPECT_FALSE(holds.begin("r2", "ci")) << "its time was over";
}

TEST_F(HoldsTest, OnlyWhatWaitsForItsRunIsGivenUp) {
    holds.take({"r1", "ci", "j"}, phones, {}, Millis(100));
    EXPECT_FALSE(holds.give_up("r1", "others"));
    EXPECT_TRUE(holds.give_up("r1", "ci"));
    EXPECT_EQ(holds.phones(), 0u);
    holds.take({"r2", "ci", "j"}, phones, {}, Millis(100));
    EXPECT_TRUE(holds.begin("r2", "ci"));
    EXPECT_FALSE(holds.give_up("r2", "ci")) << "its run is at work";
    EXPECT_EQ(holds.phones(), 2u);
}

TEST_F(HoldsTest, AdmissionSaysWhoAndEndsWithTheHold) {
    Instance phone;
    phone.id = "a";
    const auto admit = holds.admission();
    EXPECT_FALSE(admit(phone));
    holds.take({"r1", "ci", ""}, phones, {});
    const auto refused = admit(phone);
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused->code, Code::held);
    EXPECT_EQ(refused->message, "The phone is held by another run: held by r1 since 1970-01-01T00:00:00Z");
    int freed = 0;
    holds.on_freed([&] { ++freed; });
    holds.release("r1");
    holds.release("r1");
    EXPECT_EQ(freed, 1);
    EXPECT_FALSE(admit(phone));
    EXPECT_EQ(holds.free(phones), 2u);
}

TEST_F(HoldsTest, TwoThreadsNeverHaveTheSamePhone) {
    std::atomic<int> inside{0}, twice{0};
    const auto work = [&](const std::string& run) {
        for (int i = 0; i < 1'000; ++i) {
            if (holds.take({run, "ci", ""}, phones, {2, 2}).empty()) continue;
            if (inside.fetch_add(1) != 0) ++twice;
            inside.fetch_sub(1);
            holds.release(run);
        }
    };
    std::thread other(work, "r1");
    work("r2");
    other.join();
    EXPECT_EQ(twice, 0);
    EXPECT_EQ(holds.phones(), 0u);
}

}  // namespace
}  // namespace drover::fleet
