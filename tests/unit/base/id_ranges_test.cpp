#include "base/id_ranges.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

namespace drover {
namespace {

using testing::ElementsAre;

std::string wrong(std::string_view pattern) {
    const auto parsed = IdPattern::parse(pattern);
    return parsed ? "(accepted)" : fmt::format("{}: {}", parsed.error().offset, parsed.error().message);
}

bool matches(std::string_view pattern, std::string_view text) {
    const auto parsed = IdPattern::parse(pattern);
    EXPECT_TRUE(parsed) << pattern;
    return parsed && parsed->matches(text);
}

TEST(InstanceId, Charset) {
    for (const std::string_view id : {"a", "0", "rack1-01", "A.b_c-d", "12345678901234567890123456789012"}) {
        EXPECT_TRUE(valid_instance_id(id)) << id;
    }
    for (const std::string_view id :
         {"", "-a", ".a", "_a", "a b", "a:b", "a/b", "\xC3\xA9", "123456789012345678901234567890123"}) {
        EXPECT_FALSE(valid_instance_id(id)) << id;
    }
}

TEST(IdPattern, GlobsAndLists) {
    const struct {
        std::string_view pattern, text;
        bool match;
    } kCases[] = {
        {"a", "a", true},
        {"a", "ab", false},
        {"", "", true},
        {"*", "", true},
        {"r*", "r", true},
        {"r*1", "r-11", true},
        {"r*1", "r-12", false},
        {"a?c", "abc", true},
        {"a?c", "ac", false},
        {"**a**", "xax", true},
        {"r[1-3]", "r2", true},
        {"r[1-3]", "r02", false},
        {"r[01-03]", "r02", true},
        {"r[01-03]", "r2", false},
        {"r[01-03]", "r002", false},
        {"r[8-12]", "r10", true},
        {"r[8-12]", "r13", false},
        {"r[1,5,9-11]-x", "r10-x", true},
        {"r[1,5,9-11]-x", "r2-x", false},
        {"r[1-2]-[01-20]", "r2-20", true},
        {"r[1-2]-[01-20]", "r3-20", false},
        {"r[1-2][3-4]", "r13", true},
        {"*-[01-03]", "a-b-02", true},
        {"[0-9]", "0", true},
        {"[00-99]", "7", false},
        {"a[0]", "a0", true},
        {"a[0]", "a00", false},
        {"a[00]", "a00", true},
    };
    for (const auto& c : kCases) EXPECT_EQ(matches(c.pattern, c.text), c.match) << c.pattern << " " << c.text;
    EXPECT_TRUE(IdPattern::literal("a*").matches("a*"));
    EXPECT_FALSE(IdPattern::literal("a*").matches("ab"));
    EXPECT_TRUE(IdPattern::parse("abc")->is_literal());
    EXPECT_FALSE(IdPattern::parse("a[1]")->is_literal());
    EXPECT_FALSE(IdPattern::parse("*")->is_literal());
}

TEST(IdPattern, HostilePatternsAreQuick) {
    std::string stars;
    for (int i = 0; i < 2000; ++i) stars += "*a";
    EXPECT_FALSE(matches(stars, std::string(500, 'a') + "b"));
    std::string lists;
    for (int i = 0; i < 500; ++i) lists += "[0-9]";
    EXPECT_FALSE(matches(lists, std::string(400, '1')));
    EXPECT_EQ(wrong(std::string(5000, 'a')), "0: a pattern of more than 4096 bytes");
}

TEST(IdPattern, SaysWhatIsWrongAndWhere) {
    EXPECT_EQ(wrong("r[1-3"), "1: '[' without ']'");
    EXPECT_EQ(wrong("r1]"), "2: ']' without '['");
    EXPECT_EQ(wrong("r[]"), "2: '' is no number or range of numbers such as 01-20");
    EXPECT_EQ(wrong("r[1,x]"), "4: 'x' is no number or range of numbers such as 01-20");
    EXPECT_EQ(wrong("r[1,,2]"), "4: '' is no number or range of numbers such as 01-20");
    EXPECT_EQ(wrong("r[1-2-3]"), "2: '1-2-3' is no number or range of numbers such as 01-20");
    EXPECT_EQ(wrong("r[5-3]"), "2: '5-3' runs backwards");
    EXPECT_EQ(wrong("r[01-100]"), "2: '01-100': with leading zeros both ends need the same number of digits");
    EXPECT_EQ(wrong("r[1-1234567890123456789]"), "2: a number of too many digits");
}

TEST(IdPattern, Expands) {
    EXPECT_THAT(*IdPattern::parse("r[1-2]-[08-10]")->expand(10),
                ElementsAre("r1-08", "r1-09", "r1-10", "r2-08", "r2-09", "r2-10"));
    EXPECT_THAT(*IdPattern::parse("abc")->expand(1), ElementsAre("abc"));
    EXPECT_FALSE(IdPattern::parse("r[0-999999999999999999]")->expand(100000));
    EXPECT_FALSE(IdPattern::parse("[0-99][0-99][0-99][0-99][0-99][0-99]")->expand(100000));
    EXPECT_FALSE(IdPattern::parse("a*")->expand(10));
}

TEST(CompressIds, FoldsTheLastNumber) {
    const auto fold = [](std::vector<std::string> ids) { return compress_ids(ids); };
    EXPECT_EQ(fold({}), "");
    EXPECT_EQ(fold({"a"}), "a");
    EXPECT_EQ(fold({"r-01", "r-02", "r-03", "r-07", "x"}), "r-[01-03,07],x");
    EXPECT_EQ(fold({"r-1", "r-2", "r-9", "r-10", "r-11"}), "r-[1-2,9-11]");
    EXPECT_EQ(fold({"r-1", "r-01", "r-02", "r-2"}), "r-[1-2],r-[01-02]");
    EXPECT_EQ(fold({"r-99", "r-100", "r-098"}), "r-99,r-[098,100]");
    EXPECT_EQ(fold({"p01-x", "p02-x", "p02-y"}), "p[01-02]-x,p02-y");
    EXPECT_EQ(fold({"b2", "a1", "b1", "a1"}), "b[1-2],a1");
    EXPECT_EQ(fold({"abc", "abc1", "abc2", "abc"}), "abc,abc[1-2]");
    EXPECT_EQ(fold({"r-00", "r-0", "r-1"}), "r-00,r-[0-1]");
    EXPECT_EQ(fold({"s12345678901234567890", "s12345678901234567891"}), "s12345678901234567890,s12345678901234567891");
}

TEST(CompressIds, ExpandingWhatWasFoldedGivesTheSameIds) {
    std::mt19937 random(20240601);
    const auto pick = [&](unsigned n) { return static_cast<unsigned>(random() % n); };
    const std::string_view prefixes[] = {"r", "rack1-", "rack01-", "a.b_", ""};
    const std::string_view suffixes[] = {"", "-x", ".y"};
    for (int round = 0; round < 500; ++round) {
        std::vector<std::string> ids;
        const unsigned count = 1 + pick(60);
        for (unsigned i = 0; i < count; ++i) {
            const unsigned width = 1 + pick(3);
            ids.push_back(pick(10) == 0
                              ? "plain"
                              : fmt::format("{}{:0{}}{}", prefixes[pick(5)], pick(120), width, suffixes[pick(3)]));
        }
        const std::string folded = compress_ids(ids);
        std::set<std::string> back;
        std::size_t total = 0;
        std::size_t at = 0, depth = 0;
        for (std::size_t i = 0; i <= folded.size(); ++i) {
            const char c = i < folded.size() ? folded[i] : ',';
            if (c == '[') ++depth;
            if (c == ']') --depth;
            if (c != ',' || depth != 0) continue;
            const auto pattern = IdPattern::parse(std::string_view(folded).substr(at, i - at));
            ASSERT_TRUE(pattern) << folded;
            const auto some = pattern->expand(1000);
            ASSERT_TRUE(some) << folded;
            back.insert(some->begin(), some->end());
            total += some->size();
            for (const std::string& id : *some) ASSERT_TRUE(pattern->matches(id)) << folded << " " << id;
            at = i + 1;
        }
        ASSERT_EQ(back, std::set<std::string>(ids.begin(), ids.end())) << folded;
        ASSERT_EQ(total, back.size()) << "an id stands twice: " << folded;
    }
}

}  // namespace
}  // namespace drover
