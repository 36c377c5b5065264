#include "fleet/marks.hpp"

#include <gmock/gmock.h>

#include <thread>

#include "support/temp_dir.hpp"

namespace drover::test {
namespace {

using fleet::Mark;
using fleet::Marks;
using ::testing::HasSubstr;

const std::chrono::system_clock::time_point kThen{std::chrono::seconds(1'700'000'000)};

TEST(Marks, AreReadBackAsTheyWereWritten) {
    const TempDir dir;
    const auto state = dir / "deep/state";
    EXPECT_TRUE(fleet::load_marks(state)->empty());
    const Marks marks{{"rack1-01", Mark{"swollen battery", "anna", kThen}}, {"rack1-02", Mark{"", "", kThen}}};
    ASSERT_TRUE(fleet::change_marks(state, [&](Marks& m) { m = marks; }));
    EXPECT_EQ(*fleet::load_marks(state), marks);
    ASSERT_TRUE(fleet::change_marks(state, [](Marks& m) { m.erase("rack1-01"); }));
    EXPECT_EQ(fleet::load_marks(state)->size(), 1u);
}

TEST(Marks, AFileThatCannotBeReadIsAnError) {
    const TempDir dir;
    dir.write("disabled", "rack1-01\t1700000000\tanna\tok\nnonsense\n");
    const auto read = fleet::load_marks(dir.path());
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, Code::store_failed);
    EXPECT_THAT(read.error().message, HasSubstr("disabled:2"));
    EXPECT_FALSE(fleet::change_marks(dir.path(), [](Marks& m) { m.clear(); })) << "what was there would be lost";
    EXPECT_THAT(read_file(dir / "disabled"), HasSubstr("rack1-01"));
}

TEST(Marks, ATimeThatNoClockCanShowIsAnError) {
    EXPECT_TRUE(fleet::parse_marks("a\t9223372036\t\t\n", "f"));
    EXPECT_FALSE(fleet::parse_marks("a\t9223372037\t\t\n", "f"));
    EXPECT_FALSE(fleet::parse_marks("a\t-9223372037\t\t\n", "f"));
}

TEST(Marks, WithoutAStateDirectory) {
    EXPECT_TRUE(fleet::load_marks({})->empty());
    EXPECT_FALSE(fleet::change_marks({}, [](Marks&) {}));
}

TEST(Marks, SeveralAtOnceDoNotLoseEachOther) {
    const TempDir dir;
    constexpr int kThreads = 4, kEach = 5;
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
        threads.emplace_back([&, t] {
            for (int i = 0; i < kEach; ++i)
                (void)fleet::change_marks(dir.path(),
                                          [&](Marks& m) { m[std::to_string(t) + "-" + std::to_string(i)]; });
        });
    }
    for (auto& t : threads) t.join();
    EXPECT_EQ(fleet::load_marks(dir.path())->size(), static_cast<std::size_t>(kThreads * kEach));
}

TEST(Marks, AReasonIsOneCleanLine) {
    EXPECT_EQ(fleet::clean_reason("a\tb\nc\x1b"), "a b c ");
    EXPECT_EQ(fleet::clean_reason(std::string(500, 'x')).size(), fleet::kReasonBytesMax);
}

}  // namespace
}  // namespace drover::test
