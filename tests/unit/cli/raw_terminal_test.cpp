#include "cli/raw_terminal.hpp"

#include <gtest/gtest.h>

namespace drover::cli {
namespace {

TEST(EscapeKeys, TildeDotAtTheBeginningOfALineLeaves) {
    EscapeKeys keys;
    EXPECT_EQ(keys.pass("ls\r"), "ls\r");
    EXPECT_EQ(keys.pass("~"), "");
    EXPECT_FALSE(keys.leave());
    EXPECT_EQ(keys.pass(".rest"), "");
    EXPECT_TRUE(keys.leave());
    EscapeKeys first;
    first.pass("~.");
    EXPECT_TRUE(first.leave());
}

TEST(EscapeKeys, AnywhereElseItIsTyped) {
    EscapeKeys keys;
    EXPECT_EQ(keys.pass("cd x~.\r"), "cd x~.\r");
    EXPECT_EQ(keys.pass("~/bin\r"), "~/bin\r");
    EXPECT_EQ(keys.pass("~~.\r"), "~.\r");
    EXPECT_FALSE(keys.leave());
}

}  // namespace
}  // namespace drover::cli
