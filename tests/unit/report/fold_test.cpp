#include "report/fold.hpp"

#include <gtest/gtest.h>

namespace drover::report {
namespace {

Row row_of(std::string id, std::string output) {
    Row row;
    row.instance_id = std::move(id);
    row.execute_msg = std::move(output);
    row.exit_code = 0;
    return row;
}

Row failed(std::string id, Code code, std::string message, std::optional<int> exit_code = std::nullopt) {
    auto row = row_of(std::move(id), "");
    row.code = code;
    row.error_msg = std::move(message);
    row.exit_code = exit_code;
    return row;
}

TEST(Fold, EqualAnswersAreOneGroupTheLargestFirst) {
    const std::vector<Row> rows{row_of("p-01", "odd\n"), row_of("p-02", "same\n"), row_of("p-03", "same\n")};
    EXPECT_EQ(fold(rows, {}),
              "---------------\np-[02-03] (2)\n---------------\nsame\n"
              "---------------\np-01 (1)\n---------------\nodd\n");
}

TEST(Fold, LineEndsOfTheOldProtocolMakeNoOtherGroup) {
    const std::vector<Row> rows{row_of("a1", "x\r\ny\r\n"), row_of("a2", "x\ny\n"), row_of("a3", "x\ry\n")};
    FoldStyle style;
    style.escape = true;
    const auto text = fold(rows, style);
    EXPECT_EQ(text.rfind("---------------\na[1-2] (2)\n---------------\nx\ny\n---------------\na3 (1)\n", 0), 0U)
        << text;
}

TEST(Fold, EqualSizesKeepTheOrderOfTheTargets) {
    const std::vector<Row> rows{row_of("b", "2"), row_of("a", "1")};
    EXPECT_EQ(fold(rows, {}),
              "---------------\nb (1)\n---------------\n2\n---------------\na (1)\n---------------\n1\n");
}

TEST(Fold, AFailedGroupShowsItsCodeAndMessage) {
    const std::vector<Row> rows{failed("p-1", Code::command_failed, "step two: exit code 3", 3),
                                failed("p-2", Code::command_failed, "step two: exit code 3", 3)};
    EXPECT_EQ(fold(rows, {}), "---------------\np-[1-2] (2)  CPS.0191: step two: exit code 3\n---------------\n");
}

TEST(Fold, EqualOutputWithAnotherExitCodeIsAnotherGroup) {
    const std::vector<Row> rows{failed("a", Code::command_failed, "x", 1), failed("b", Code::command_failed, "x", 2)};
    const auto text = fold(rows, {});
    EXPECT_NE(text.find("a (1)"), std::string::npos);
    EXPECT_NE(text.find("b (1)"), std::string::npos);
}

TEST(Fold, AFailedGroupWithoutOneMessageShowsTheExitCode) {
    const std::vector<Row> rows{failed("a", Code::command_failed, "x", 3), failed("b", Code::command_failed, "y", 3)};
    EXPECT_EQ(fold(rows, {}),
              "---------------\na,b (2)  CPS.0191: Run command failed. (exit 3)\n---------------\na: x\nb: y\n");
}

TEST(Fold, PhonesWithMessagesOfTheirOwnAreStillOneGroup) {
    std::vector<Row> rows;
    for (int i = 1; i <= 5; ++i)
        rows.push_back(failed("p" + std::to_string(i), Code::phone_not_found, "no answer from " + std::to_string(i)));
    EXPECT_EQ(fold(rows, {}),
              "---------------\np[1-5] (5)  CPS.0005: Phone is not found.\n---------------\n"
              "p1: no answer from 1\np2: no answer from 2\np3: no answer from 3\n(and 2 more)\n");
}

TEST(Fold, SaysWhenThereIsNoOutputAndWhenItWasCut) {
    auto cut = row_of("b", "0123");
    cut.truncated = true;
    cut.output_bytes = 99;
    const std::vector<Row> rows{row_of("a", ""), cut};
    EXPECT_EQ(fold(rows, {}),
              "---------------\na (1)\n---------------\n(no output)\n"
              "---------------\nb (1)\n---------------\n0123\n(output cut: 4 bytes shown of 99)\n");
}

TEST(Fold, EscapesAndColorsOnATerminalOnly) {
    const std::vector<Row> rows{row_of("a", "\x1b[2Jx\n"), failed("b", Code::timeout, "late")};
    EXPECT_NE(fold(rows, {}).find("\x1b[2Jx"), std::string::npos);
    const auto text = fold(rows, {true, true});
    EXPECT_NE(text.find("\\x1b[2Jx"), std::string::npos);
    EXPECT_NE(text.find("\x1b[36ma (1)\x1b[0m\n"), std::string::npos);
    EXPECT_NE(text.find("\x1b[31mb (1)  DROVER.1005: late\x1b[0m\n"), std::string::npos);
}

TEST(Fold, NothingIsNothing) { EXPECT_EQ(fold({}, {}), ""); }

}  // namespace
}  // namespace drover::report
