#include "report/summary.hpp"

#include <gtest/gtest.h>

#include <csignal>

namespace drover::report {
namespace {

Tally tally_of(std::initializer_list<Code> codes) {
    Tally tally;
    for (const auto code : codes) {
        Row row;
        row.code = code;
        tally.add(row);
    }
    return tally;
}

struct Case {
    const char* what;
    std::initializer_list<Code> codes;
    Ending ending;
    int exit_code;
};

TEST(ExitCode, TheFirstMatchOfTheTableWins) {
    using enum Code;
    const Case cases[] = {
        {"all ok", {ok, ok}, {}, 0},
        {"no rows", {}, {}, 0},
        {"a command failed", {ok, command_failed}, {}, 10},
        {"an exit code is unknown", {exit_code_unknown}, {}, 10},
        {"a deadline beats a failed command", {command_failed, timeout}, {}, 21},
        {"each kind of deadline", {silence_deadline}, {}, 21},
        {"the deadline of the call", {ok, call_deadline}, {}, 21},
        {"absent beats a deadline", {timeout, phone_not_found}, {}, 20},
        {"unauthorized", {unauthorized, ok}, {}, 20},
        {"link lost", {command_failed, timeout, link_lost}, {}, 20},
        {"the adb server does not answer", {server_unreachable}, {}, 20},
        {"a full disk", {output_not_written}, {}, 20},
        {"cancelled beats the farm", {link_lost, cancelled}, {}, 19},
        {"SIGINT beats all rows", {link_lost, cancelled, interrupted}, {SIGINT, false}, 130},
        {"SIGTERM", {interrupted}, {SIGTERM, false}, 143},
        {"SIGHUP", {ok}, {SIGHUP, false}, 129},
        {"drover's own fault", {internal, ok}, {}, 1},
        {"a failed command beats drover's own fault", {internal, command_failed}, {}, 10},
        {"nobody reads, all were ok", {ok}, {std::nullopt, true}, 1},
        {"nobody reads, so the rest was stopped", {ok, interrupted}, {std::nullopt, true}, 1},
        {"nobody reads, but a link was lost before", {link_lost, interrupted}, {std::nullopt, true}, 20},
        {"stopped without a signal of ours", {interrupted}, {}, 20},
    };
    for (const auto& c : cases) EXPECT_EQ(tally_of(c.codes).exit_code(c.ending), c.exit_code) << c.what;
}

TEST(ExitCode, EveryCodeOfTheTableLeadsToItsOwnExitCode) {
    for (const auto& code : all_codes()) {
        EXPECT_EQ(tally_of({Code::ok, code.code}).exit_code({}), code.exit_code) << code.name;
    }
}

TEST(SummaryLine, CountsByCode) {
    Summary summary{tally_of({Code::ok, Code::command_failed, Code::timeout, Code::command_failed}), 21, 1'234};
    EXPECT_EQ(summary_line(summary), "4 phones: 1 ok, 3 failed (CPS.0191: 2, DROVER.1005: 1) in 1.2 s");
    EXPECT_EQ(summary_line({tally_of({Code::ok}), 0, 7}), "1 phone: 1 ok in 7 ms");
    EXPECT_EQ(human_ms(125'400), "2 m 05 s");
}

}  // namespace
}  // namespace drover::report
