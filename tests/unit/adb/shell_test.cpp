#include "adb/shell.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace drover::adb {
namespace {

using testing::HasSubstr;

struct Collected final : ShellOutputSink {
    std::string out, err;
    std::size_t calls = 0;
    void on_shell_bytes(OutputStream stream, ByteView bytes) override {
        EXPECT_FALSE(bytes.empty());
        ++calls;
        (stream == OutputStream::out ? out : err) += as_text(bytes);
    }
};

std::string packet(int id, std::string_view data) {
    std::string p(5, '\0');
    p[0] = static_cast<char>(id);
    store_le32(reinterpret_cast<std::uint8_t*>(p.data()) + 1, static_cast<std::uint32_t>(data.size()));
    return p.append(data);
}

std::string shell_header(int id, std::uint32_t length) {
    auto p = packet(id, "");
    store_le32(reinterpret_cast<std::uint8_t*>(p.data()) + 1, length);
    return p;
}

TEST(ShellV2, OneWriteWithEverything) {
    using namespace std::string_view_literals;
    Collected c;
    ShellV2Parser parser;
    const auto bytes = "\x01\x03\0\0\0out\x02\x03\0\0\0err\x01\x01\0\0\0!\x03\x01\0\0\0\x07"sv;
    ASSERT_TRUE(parser.feed(as_bytes(bytes), c));
    EXPECT_EQ(c.out, "out!");
    EXPECT_EQ(c.err, "err");
    EXPECT_EQ(parser.exit_code(), std::optional<std::uint8_t>(7));
}

TEST(ShellV2, AnySplit) {
    const auto bytes = packet(1, "hello") + packet(9, "ignored") + packet(1, "") + packet(2, "error") +
                       packet(3, "\x89") + packet(1, "late");
    for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
        for (std::size_t second = cut; second <= bytes.size(); ++second) {
            Collected c;
            ShellV2Parser parser;
            ASSERT_TRUE(parser.feed(as_bytes(std::string_view(bytes).substr(0, cut)), c));
            ASSERT_TRUE(parser.feed(as_bytes(std::string_view(bytes).substr(cut, second - cut)), c));
            ASSERT_TRUE(parser.feed(as_bytes(std::string_view(bytes).substr(second)), c));
            ASSERT_EQ(c.out, "hello");
            ASSERT_EQ(c.err, "error");
            ASSERT_EQ(parser.exit_code(), std::optional<std::uint8_t>(0x89));
        }
    }
}

TEST(ShellV2, PassesPiecesOnBeforeThePacketIsComplete) {
    Collected c;
    ShellV2Parser parser;
    ASSERT_TRUE(parser.feed(as_bytes(shell_header(1, kShellPacketBytesMax) + "first"), c));
    EXPECT_EQ(c.out, "first");
}

TEST(ShellV2, NoExitPacketNoCode) {
    Collected c;
    ShellV2Parser parser;
    ASSERT_TRUE(parser.feed(as_bytes(packet(1, "x") + shell_header(3, 1)), c));
    EXPECT_FALSE(parser.exit_code());
}

TEST(ShellV2, AnExitPacketMayBeTooLong) {
    Collected c;
    ShellV2Parser parser;
    ASSERT_TRUE(parser.feed(as_bytes(packet(3, "\x05junk") + packet(1, "no")), c));
    EXPECT_EQ(parser.exit_code(), std::optional<std::uint8_t>(5));
    EXPECT_EQ(c.calls, 0U);
}

TEST(ShellV2, Refusals) {
    Collected c;
    const auto over = ShellV2Parser().feed(as_bytes(shell_header(1, kShellPacketBytesMax + 1)), c);
    ASSERT_FALSE(over);
    EXPECT_EQ(over.error().code, Code::protocol_error);
    EXPECT_THAT(over.error().message, HasSubstr("1048577 bytes"));
    const auto no_code = ShellV2Parser().feed(as_bytes(shell_header(3, 0)), c);
    ASSERT_FALSE(no_code);
    EXPECT_THAT(no_code.error().message, HasSubstr("without an exit code"));
    EXPECT_EQ(c.calls, 0U);
}

TEST(ShellV2, UselessPacketsAreSkippedUpToALimit) {
    for (const int id : {0, 1, 2, 4, 5, 77, 255}) {
        Collected c;
        ShellV2Parser parser;
        const auto empty = packet(id, "");
        Result<void> fed;
        std::size_t packets = 0;
        while ((fed = parser.feed(as_bytes(empty), c)) && packets < kShellIgnoredBytesMax) ++packets;
        ASSERT_FALSE(fed) << id;
        EXPECT_EQ(packets, kShellIgnoredBytesMax / kShellHeaderBytes) << id;
        EXPECT_EQ(c.calls, 0U);
    }
}

constexpr std::string_view kMark = "0123456789abcdef0123456789abcdef";

struct Run {
    std::string out;
    std::optional<int> code;
};

Run tail_of(std::string_view text, std::size_t piece = 1'000'000) {
    Collected c;
    MarkerTail tail{std::string(kMark)};
    while (!text.empty()) {
        tail.feed(as_bytes(text.substr(0, piece)), c);
        text.remove_prefix(std::min(piece, text.size()));
    }
    const auto code = tail.finish(c);
    return {c.out, code};
}

TEST(MarkerTail, FindsTheCode) {
    const std::string mark(kMark);
    struct Case {
        std::string text, out;
        std::optional<int> code;
    };
    const std::vector<Case> cases{
        {mark + "0\n", "", 0},
        {"out\n" + mark + "0\n", "out\n", 0},
        {"no newline" + mark + "3\n", "no newline", 3},
        {"crlf\r\n" + mark + "137\r\n", "crlf\r\n", 137},
        {mark + "1\r\r\n", "", 1},
        {"a\n" + mark + "0\nlate\n", "a\nlate\n", 0},    // a background job
        {mark + "1\n" + mark + "2\n", mark + "1\n", 2},  // the last one counts
        {"", "", {}},
        {"out\n", "out\n", {}},
        {mark, mark, {}},                // cut off
        {mark + "12", mark + "12", {}},  // the code itself may be cut off
        {mark + "12\r", mark + "12\r", {}},
        {mark + "256\n", mark + "256\n", {}},  // no exit code of a shell
        {mark + "-1\n", mark + "-1\n", {}},
        {mark + "99999999999\n", mark + "99999999999\n", {}},
        {mark + "x\n", mark + "x\n", {}},
        {mark + "\n", mark + "\n", {}},
        {mark.substr(0, 31), mark.substr(0, 31), {}},
        {mark.substr(0, 31) + "x", mark.substr(0, 31) + "x", {}},
        {"01230123" + mark + "4\n", "01230123", 4},
        {mark.substr(0, 16) + mark + "5\n", mark.substr(0, 16), 5},  // overlaps its own beginning
        {mark + "0\n" + std::string(MarkerTail::kTailBytes - 34, 'x'), std::string(MarkerTail::kTailBytes - 34, 'x'),
         0},
        {mark + "0\n" + std::string(MarkerTail::kTailBytes, 'x'),
         mark + "0\n" + std::string(MarkerTail::kTailBytes, 'x'),
         {}},
        {std::string(100'000, '0') + mark + "6\n", std::string(100'000, '0'), 6},
    };
    for (const auto& c : cases) {
        for (const std::size_t piece :
             {std::size_t{1}, std::size_t{7}, std::size_t{33}, std::size_t{1023}, std::size_t{1'000'000}}) {
            if (c.text.size() > 10'000 && piece == 1) continue;
            const auto run = tail_of(c.text, piece);
            EXPECT_EQ(run.out, c.out) << c.text.substr(0, 60) << " in pieces of " << piece;
            EXPECT_EQ(run.code, c.code) << c.text.substr(0, 60) << " in pieces of " << piece;
        }
    }
}

TEST(MarkerTail, HoldsBackOnlyWhatMayBeTheMarker) {
    Collected c;
    MarkerTail tail{std::string(kMark)};
    tail.feed(as_bytes("progress 10%"), c);
    EXPECT_EQ(c.out, "progress 10%");
    tail.feed(as_bytes("0123"), c);
    EXPECT_EQ(c.out, "progress 10%");
    tail.feed(as_bytes("5"), c);
    EXPECT_EQ(c.out, "progress 10%01235");
}

TEST(MarkerTail, RandomCutsKeepEveryByteInOrder) {
    std::mt19937 random(7);  // NOLINT: the same every run
    for (int round = 0; round < 300; ++round) {
        std::string text;
        while (text.size() < random() % 5000) {
            text += random() % 3 ? std::string(kMark.substr(0, random() % 33)) : std::string(random() % 900, 'z');
        }
        Collected c;
        MarkerTail tail{std::string(kMark)};
        std::string_view rest = text;
        while (!rest.empty()) {
            const auto n = std::min<std::size_t>(rest.size(), random() % 2000);
            tail.feed(as_bytes(rest.substr(0, n)), c);
            rest.remove_prefix(n);
        }
        EXPECT_FALSE(tail.finish(c));
        ASSERT_EQ(c.out, text) << "round " << round;
    }
}

TEST(MarkCommand, TheLineDoesNotHoldTheMarker) {
    const auto m = mark_command("id", kMark);
    EXPECT_EQ(m.line, "sh -c 'id' </dev/null; echo 0123456789abcdef\"\"0123456789abcdef$?");
    EXPECT_EQ(m.line.find(m.marker), std::string::npos);
    EXPECT_EQ(mark_command("it's", kMark).line.substr(0, 16), "sh -c 'it'\\''s' ");
}

TEST(MarkCommand, MarkersAreRandom) {
    const auto a = random_marker(), b = random_marker();
    EXPECT_EQ(a.size(), kMarkerChars);
    EXPECT_NE(a, b);
    EXPECT_EQ(a.find_first_not_of("0123456789abcdef"), std::string::npos);
}

}  // namespace
}  // namespace drover::adb
