#include "base/duration.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace drover {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

TEST(Duration, GoodOnes) {
    const std::pair<std::string_view, Millis> cases[] = {
        {"1ms", 1ms}, {"500ms", 500ms}, {"10s", 10s},       {"1.5s", 1500ms}, {"0.001s", 1ms},
        {"5m", 5min}, {"0.1m", 6s},     {"1.5m", 90s},      {"2h", 2h},       {"720h", 720h},
        {"007s", 7s}, {"2.0ms", 2ms},   {"1.001s", 1001ms},
    };
    for (const auto& [text, value] : cases) {
        const auto parsed = parse_duration(text);
        ASSERT_TRUE(parsed) << text << ": " << parsed.error().message;
        EXPECT_EQ(*parsed, value) << text;
    }
}

TEST(Duration, BadOnesSayWhatIsWrongAndWhatToWrite) {
    const std::pair<std::string_view, std::string_view> cases[] = {
        {"", "must begin with a number"},
        {"s", "must begin with a number"},
        {"-1s", "must begin with a number"},
        {"+1s", "must begin with a number"},
        {" 1s", "must begin with a number"},
        {"inf", "must begin with a number"},
        {"10", "unit is missing"},
        {"1.5", "unit is missing"},
        {"10 s", "unknown unit ' s'"},
        {"10sec", "unknown unit 'sec'"},
        {"10S", "unknown unit 'S'"},
        {"1d", "unknown unit 'd'"},
        {"1e3s", "unknown unit 'e3s'"},
        {"1s ", "unknown unit 's '"},
        {"1..5s", "number is wrong"},
        {"1.2.3s", "number is wrong"},
        {".s", "number is wrong"},
        {"0s", "at least 1ms"},
        {"0.0h", "at least 1ms"},
        {"0.5ms", "at least 1ms"},
        {"1.5ms", "finer than a millisecond"},
        {"1.0005s", "finer than a millisecond"},
        {"721h", "over 30 days"},
        {"99999999999999999999999999h", "over 30 days"},
    };
    for (const auto& [text, why] : cases) {
        const auto parsed = parse_duration(text);
        ASSERT_FALSE(parsed) << text;
        EXPECT_EQ(parsed.error().code, Code::usage) << text;
        EXPECT_THAT(parsed.error().message, HasSubstr(why)) << text;
        EXPECT_THAT(parsed.error().message, HasSubstr("500ms")) << text;
    }
    EXPECT_FALSE(parse_duration(std::string(100'000, '9') + "s")) << "any length";
}

TEST(Duration, IsWrittenSoThatItReadsBack) {
    EXPECT_EQ(to_string(1ms), "1ms");
    EXPECT_EQ(to_string(999ms), "999ms");
    EXPECT_EQ(to_string(1500ms), "1.5s");
    EXPECT_EQ(to_string(90s), "90s");
    EXPECT_EQ(to_string(5min), "5m");
    EXPECT_EQ(to_string(2h), "2h");
    for (std::int64_t ms = 1; ms < 30LL * 24 * 3'600'000; ms = ms * 5 / 4 + 7) {
        const auto text = to_string(Millis(ms));
        const auto back = parse_duration(text);
        ASSERT_TRUE(back) << text;
        EXPECT_EQ(back->count(), ms) << text;
    }
}

}  // namespace
}  // namespace drover
