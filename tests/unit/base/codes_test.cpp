// The codes are a promise to scripts: what is published here never changes its name or its meaning.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <regex>
#include <set>
#include <string>

#include "drover/error.hpp"

namespace drover {
namespace {

TEST(Codes, NamesAreUniqueAndWellFormed) {
    std::set<std::string_view> names;
    const std::regex form(R"(CPS\.\d{4}|DROVER\.\d{4})");
    for (const auto& code : all_codes()) {
        EXPECT_TRUE(names.insert(code.name).second) << code.name;
        if (code.code == Code::ok) continue;
        EXPECT_TRUE(std::regex_match(std::string(code.name), form)) << code.name;
        EXPECT_FALSE(code.text.empty()) << code.name;
        EXPECT_NE(code.cls, ErrorClass::none) << code.name;
    }
}

TEST(Codes, EachIsFoundByItself) {
    for (const auto& code : all_codes()) EXPECT_EQ(&info(code.code), &code);
    EXPECT_EQ(all_codes().back().code, Code::internal) << "a code was added to the enum and not to the table";
    EXPECT_EQ(info(Code::ok).exit_code, 0);
    EXPECT_EQ(Error().code, Code::internal);
}

TEST(Codes, NumbersGrowWithinTheTableAndNamePublishedMeanings) {
    std::string_view last = "";
    for (const auto& code : all_codes()) {
        if (!code.name.starts_with("DROVER.")) continue;
        EXPECT_LT(last, code.name) << "groups stay sorted: add at the end of a group";
        last = code.name;
    }
    EXPECT_EQ(info(Code::phone_not_found).name, "CPS.0005");
    EXPECT_EQ(info(Code::command_failed).name, "CPS.0191");
    EXPECT_EQ(info(Code::timeout).name, "DROVER.1005");
    EXPECT_EQ(info(Code::unauthorized).name, "DROVER.2001");
    EXPECT_EQ(info(Code::link_lost).name, "DROVER.3001");
    EXPECT_EQ(info(Code::cancelled).name, "DROVER.5001");
    EXPECT_EQ(info(Code::usage).name, "DROVER.6001");
    EXPECT_EQ(info(Code::internal).name, "DROVER.9001");
}

// The table of exit codes, row by row.
TEST(Codes, ExitCodesFollowTheDocumentedTable) {
    for (const auto& code : all_codes()) {
        if (code.code == Code::ok) continue;
        const int group = code.name.starts_with("CPS.") ? 0 : code.name[7] - '0';
        switch (group) {
            case 1: EXPECT_EQ(code.exit_code, 21) << code.name; break;  // a deadline
            case 3: EXPECT_EQ(code.exit_code, 20) << code.name; break;  // the link
            case 4: EXPECT_EQ(code.exit_code, 20) << code.name; break;  // the host
            case 6:
                EXPECT_EQ(code.exit_code, code.code == Code::nothing_matched ? 3
                                          : code.code == Code::too_few       ? 18
                                                                             : 2)
                    << code.name;
                break;
            case 9: EXPECT_EQ(code.exit_code, 1) << code.name; break;
            default: EXPECT_THAT(code.exit_code, testing::AnyOf(10, 19, 20, 22)) << code.name;
        }
        const bool farm = code.cls == ErrorClass::link || code.cls == ErrorClass::host || code.cls == ErrorClass::infra;
        if (farm && group != 9) EXPECT_EQ(code.exit_code, 20) << code.name;
    }
    EXPECT_EQ(info(Code::phone_not_found).exit_code, 20) << "absent";
    EXPECT_EQ(info(Code::unauthorized).exit_code, 20);
    EXPECT_EQ(info(Code::command_failed).exit_code, 10);
    EXPECT_EQ(info(Code::cancelled).exit_code, 19);
    EXPECT_EQ(info(Code::held).exit_code, 22) << "no test has failed";
}

TEST(Codes, ClassesHaveNames) {
    EXPECT_EQ(to_string(ErrorClass::none), "");
    EXPECT_EQ(to_string(ErrorClass::user), "user");
    EXPECT_EQ(to_string(ErrorClass::infra), "infra");
    EXPECT_EQ(Error(Code::link_lost, "x").cls(), ErrorClass::link);
}

}  // namespace
}  // namespace drover
