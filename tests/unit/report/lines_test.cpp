#include "report/lines.hpp"

#include <gtest/gtest.h>

#include "report/printable.hpp"

namespace drover::report {
namespace {

constexpr auto kOut = OutputStream::out;
constexpr auto kErr = OutputStream::err;

Row row_with(std::initializer_list<std::pair<OutputStream, std::string_view>> runs) {
    Row row;
    row.instance_id = "p1";
    for (const auto& [stream, text] : runs) {
        row.execute_msg += text;
        row.runs.push_back({stream, static_cast<std::uint32_t>(row.execute_msg.size())});
    }
    return row;
}

// "out|text" pieces, joined, so that a failed comparison can be read.
std::string told(const Row& row, const LinesStyle& style = {}) {
    std::string text;
    for (const auto& piece : lines_of(row, style)) text += (piece.stream == kOut ? "out|" : "err|") + piece.text;
    return text;
}

TEST(Lines, EveryLineHasItsIdAndStreamsStayApart) {
    EXPECT_EQ(told(row_with({{kOut, "a\nb\n"}, {kErr, "oops\n"}, {kOut, "c\n"}})),
              "out|p1: a\np1: b\nerr|p1: oops\nout|p1: c\n");
}

TEST(Lines, ALineThatIsInterruptedByTheOtherStreamStaysWhole) {
    EXPECT_EQ(told(row_with({{kOut, "hel"}, {kErr, "x\n"}, {kOut, "lo\n"}})), "err|p1: x\nout|p1: hello\n");
}

TEST(Lines, ALastLineWithoutNewlineGetsOne) {
    EXPECT_EQ(told(row_with({{kOut, "a"}, {kErr, "b"}})), "out|p1: a\nerr|p1: b\n");
    EXPECT_EQ(told(row_with({{kOut, "\n\n"}})), "out|p1: \np1: \n");
}

TEST(Lines, AnOkRowWithoutOutputIsSilent) { EXPECT_EQ(told(row_with({})), ""); }

TEST(Lines, AFailureAndACutAreToldOnStderr) {
    auto row = row_with({{kOut, "part"}});
    row.code = Code::command_failed;
    row.error_msg = "Run command failed: exit code 3";
    row.exit_code = 3;
    row.truncated = true;
    row.output_bytes = 900;
    EXPECT_EQ(told(row),
              "out|p1: part\nerr|p1: output cut: 4 bytes shown of 900\n"
              "p1: CPS.0191: Run command failed: exit code 3\n");
}

TEST(Lines, RunsThatDoNotCoverTheTextLoseNothing) {
    auto row = row_with({{kErr, "e\n"}});
    row.execute_msg += "rest\n";
    EXPECT_EQ(told(row), "err|p1: e\nout|p1: rest\n");
    row.runs[0].end = 1000;  // past the end
    EXPECT_EQ(told(row), "err|p1: e\np1: rest\n");
}

TEST(Lines, ControlCharactersAreRawInAPipeAndVisibleOnATerminal) {
    const auto row = row_with({{kOut, "a\x1b[2J\tb\r\n"}, {kErr, "\x07\n"}});
    EXPECT_EQ(told(row), "out|p1: a\x1b[2J\tb\r\nerr|p1: \x07\n");
    LinesStyle style;
    style.escape_out = true;
    EXPECT_EQ(told(row, style), "out|p1: a\\x1b[2J\tb\nerr|p1: \x07\n");
}

TEST(Lines, AMessageCannotFakeALineOfAnotherPhone) {
    auto row = row_with({});
    row.code = Code::protocol_error;
    row.error_msg = "said \"x\np2: fine\"";
    EXPECT_EQ(told(row), "err|p1: DROVER.3002: said \"x\\np2: fine\"\n");
}

TEST(Lines, RedOnlyOnAColorTerminal) {
    auto row = row_with({});
    row.code = Code::timeout;
    row.error_msg = "late";
    LinesStyle style;
    style.color_err = true;
    EXPECT_EQ(told(row, style), "err|\x1b[31mp1: DROVER.1005: late\x1b[0m\n");
}

TEST(Printable, ShowsWhatATerminalWouldObey) {
    EXPECT_EQ(printable("a\tb\nc", Layout::keep), "a\tb\nc");
    EXPECT_EQ(printable("a\tb\nc\r", Layout::escape), "a\\tb\\nc\\r");
    EXPECT_EQ(printable("x\ry\r\n", Layout::keep), "x\\ry\n");
    EXPECT_EQ(printable("\x7f\x1b", Layout::keep), "\\x7f\\x1b");
    EXPECT_EQ(printable("\xc2\x9b"
                        "31m",
                        Layout::keep),
              "\\x9b31m");
    EXPECT_EQ(printable("\xc2\xa0\xc3\xa9\xf0\x9f\x98\x80", Layout::keep), "\xc2\xa0\xc3\xa9\xf0\x9f\x98\x80");
    EXPECT_EQ(printable(std::string_view("\0", 1), Layout::keep), "\\x00");
}

}  // namespace
}  // namespace drover::report
