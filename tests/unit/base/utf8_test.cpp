#include "base/utf8.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace drover {
namespace {

using namespace std::string_literals;

const std::string kBad = "\xEF\xBF\xBD";

std::string replacements(int times) {
    std::string s;
    for (int i = 0; i < times; ++i) s += kBad;
    return s;
}

struct Vector {
    std::string in;
    std::string out;
};

// From Unicode 15, chapter 3.9, tables 3-8 to 3-11, and the corners of table 3-7.
const Vector kVectors[] = {
    {"", ""},
    {"plain", "plain"},
    {"a\0b"s, "a\0b"s},
    {"\xC2\xA2 \xE2\x82\xAC \xF0\x9F\x98\x80", "\xC2\xA2 \xE2\x82\xAC \xF0\x9F\x98\x80"},
    {"\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41", replacements(8) + "A"},  // table 3-8: overlong forms
    {"\xED\xA0\x80\xED\xBF\xBF\xED\xAF\x41", replacements(8) + "A"},  // table 3-9: surrogates
    {"\xF4\x91\x92\x93\xFF\x41\x80\xBF\x42", replacements(5) + "A" + replacements(2) + "B"},  // table 3-10: others
    {"\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41", replacements(4) + "A"},           // table 3-11: cut characters
    {"\xF0\x90\x80\x80\xF4\x8F\xBF\xBF", "\xF0\x90\x80\x80\xF4\x8F\xBF\xBF"},  // first and last of four bytes
    {"\xED\x9F\xBF\xEE\x80\x80", "\xED\x9F\xBF\xEE\x80\x80"},                  // around the surrogates
    {"\xE0\xA0\x80\xC2\x80", "\xE0\xA0\x80\xC2\x80"},                          // shortest of three and of two
    {"\x80", replacements(1)},
    {"\xF5\x80\x80\x80", replacements(4)},
    {"x\xE2\x82", "x" + replacements(1)},
    {"\xF0\x9F\x98", replacements(1)},
    {"\xE2\x82\xE2\x82\xAC", replacements(1) + "\xE2\x82\xAC"},
};

TEST(Utf8, ReplacesMaximalSubparts) {
    for (const auto& v : kVectors) {
        EXPECT_EQ(sanitize_utf8(v.in), v.out) << testing::PrintToString(v.in);
        EXPECT_EQ(is_valid_utf8(v.in), v.in == v.out) << testing::PrintToString(v.in);
        EXPECT_TRUE(is_valid_utf8(v.out));
    }
}

TEST(Utf8, ASplitAtAnyPlaceChangesNothing) {
    for (const auto& v : kVectors) {
        const auto bytes = as_bytes(v.in);
        for (std::size_t a = 0; a <= bytes.size(); ++a) {
            for (std::size_t b = a; b <= bytes.size(); ++b) {
                Utf8Sanitizer s;
                std::string out;
                s.feed(bytes.subspan(0, a), out);
                s.feed(bytes.subspan(a, b - a), out);
                EXPECT_LE(s.pending(), 3u);
                s.feed(bytes.subspan(b), out);
                s.finish(out);
                EXPECT_EQ(s.pending(), 0u);
                EXPECT_EQ(out, v.out) << testing::PrintToString(v.in) << " split at " << a << " and " << b;
            }
        }
    }
}

TEST(Utf8, EveryCodePointPasses) {
    std::string all;
    for (std::uint32_t c = 0; c <= 0x10FFFF; ++c) {
        if (c >= 0xD800 && c <= 0xDFFF) continue;
        if (c < 0x80) {
            all += static_cast<char>(c);
            continue;
        }
        if (c < 0x800) {
            all += static_cast<char>(0xC0 | (c >> 6));
        } else {
            if (c < 0x10000) {
                all += static_cast<char>(0xE0 | (c >> 12));
            } else {
                all += static_cast<char>(0xF0 | (c >> 18));
                all += static_cast<char>(0x80 | ((c >> 12) & 0x3F));
            }
            all += static_cast<char>(0x80 | ((c >> 6) & 0x3F));
        }
        all += static_cast<char>(0x80 | (c & 0x3F));
    }
    EXPECT_TRUE(is_valid_utf8(all));
    EXPECT_TRUE(sanitize_utf8(all) == all);
}

TEST(Utf8, RandomBytesBecomeValidAndStayThemselves) {
    std::mt19937 random(7);
    for (int i = 0; i < 20'000; ++i) {
        std::string in;
        for (auto n = random() % 12; n > 0; --n)
            in += static_cast<char>(random() % 2 ? random() : 0x80 + random() % 0x80);
        const auto out = sanitize_utf8(in);
        ASSERT_TRUE(is_valid_utf8(out)) << testing::PrintToString(in);
        ASSERT_EQ(sanitize_utf8(out), out);
        if (is_valid_utf8(in)) ASSERT_EQ(out, in);
    }
}

TEST(Utf8Floor, NeverSplitsACharacter) {
    const std::string text = "a\xC2\xA2\xE2\x82\xAC\xF0\x9F\x98\x80z";  // 1 + 2 + 3 + 4 + 1 bytes
    const std::size_t floors[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11, 11};
    for (std::size_t max = 0; max < std::size(floors); ++max) EXPECT_EQ(utf8_floor(text, max), floors[max]) << max;
    EXPECT_EQ(utf8_floor("", 5), 0u);
}

}  // namespace
}  // namespace drover
