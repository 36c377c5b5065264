#include "dispatch/capture.hpp"

#include <gtest/gtest.h>

namespace drover::dispatch {
namespace {

using enum OutputStream;

Row captured(std::size_t max, std::initializer_list<std::pair<OutputStream, std::string>> pieces) {
    Capture c(max);
    for (const auto& [stream, text] : pieces) c.add(stream, as_bytes(text));
    Row row;
    c.finish(row);
    return row;
}

TEST(Capture, KeepsAllThatFits) {
    const Row row = captured(5, {{out, "hello"}});
    EXPECT_EQ(row.execute_msg, "hello");
    EXPECT_FALSE(row.truncated);
    EXPECT_EQ(row.output_bytes, 5u);
}

TEST(Capture, CutsAndCountsTheRest) {
    const Row row = captured(5, {{out, "hello world"}, {out, std::string(1'000'000, 'x')}});
    EXPECT_EQ(row.execute_msg, "hello");
    EXPECT_TRUE(row.truncated);
    EXPECT_EQ(row.output_bytes, 1'000'011u);
}

TEST(Capture, CutsAtACharacterBoundary) {
    EXPECT_EQ(captured(4, {{out, "abcä"}}).execute_msg, "abc");
    EXPECT_TRUE(captured(4, {{out, "abcä"}}).truncated);
    EXPECT_EQ(captured(5, {{out, "abcä"}}).execute_msg, "abcä");
    EXPECT_FALSE(captured(5, {{out, "abcä"}}).truncated);
    EXPECT_EQ(captured(6, {{out, "abc😀"}}).execute_msg, "abc");
}

TEST(Capture, InvalidBytesAreReplacedBeforeTheCut) {
    const Row row = captured(4, {{out, "a\xff\xff"}});
    EXPECT_EQ(row.execute_msg, "a\xEF\xBF\xBD");
    EXPECT_TRUE(row.truncated);
    EXPECT_EQ(row.output_bytes, 3u);
}

TEST(Capture, ACharacterTornOverPiecesStaysWhole) {
    EXPECT_EQ(captured(10, {{out, "\xc3"}, {out, "\xa4"}}).execute_msg, "ä");
    EXPECT_EQ(captured(10, {{out, "x\xc3"}}).execute_msg, "x\xEF\xBF\xBD");
}

TEST(Capture, EverySplitOfEveryLengthIsTheSame) {
    const std::string text = "aä€😀\xff z";
    for (std::size_t max = 0; max <= text.size() + 4; ++max) {
        const Row whole = captured(max, {{out, text}});
        EXPECT_LE(whole.execute_msg.size(), max);
        EXPECT_TRUE(is_valid_utf8(whole.execute_msg));
        for (std::size_t cut = 0; cut <= text.size(); ++cut) {
            const Row split = captured(max, {{out, text.substr(0, cut)}, {out, text.substr(cut)}});
            EXPECT_EQ(split.execute_msg, whole.execute_msg) << max << " " << cut;
            EXPECT_EQ(split.truncated, whole.truncated) << max << " " << cut;
        }
    }
}

TEST(Capture, RunsTellTheStreamsApart) {
    const Row row = captured(100, {{out, "one\n"}, {err, "two\n"}, {err, "three\n"}, {out, "four\n"}});
    ASSERT_EQ(row.runs.size(), 3u);
    EXPECT_EQ(row.runs[0].stream, out);
    EXPECT_EQ(row.runs[0].end, 4u);
    EXPECT_EQ(row.runs[1].stream, err);
    EXPECT_EQ(row.runs[1].end, 14u);
    EXPECT_EQ(row.runs[2].end, 19u);
}

TEST(Capture, RunsEndWhereTheTextIsCut) {
    const Row row = captured(6, {{out, "one\n"}, {err, "two\n"}, {out, "four\n"}});
    EXPECT_EQ(row.execute_msg, "one\ntw");
    ASSERT_EQ(row.runs.size(), 2u);
    EXPECT_EQ(row.runs[1].end, 6u);
}

TEST(Capture, NothingMayBeKept) {
    const Row row = captured(0, {{out, "x"}});
    EXPECT_EQ(row.execute_msg, "");
    EXPECT_TRUE(row.truncated);
    EXPECT_TRUE(row.runs.empty());
}

}  // namespace
}  // namespace drover::dispatch
