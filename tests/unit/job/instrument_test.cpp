#include <fmt/format.h>
#include <gmock/gmock.h>

#include "job/steps/instrument_parser.hpp"
#include "unit/job/job_fixture.hpp"

namespace drover::test {
namespace {

using job::InstrumentParser;

std::string test_of(std::string_view name, int code, std::string_view stack = "") {
    auto head = fmt::format("INSTRUMENTATION_STATUS: class=com.x.T\nINSTRUMENTATION_STATUS: test={}\n", name);
    return head + "INSTRUMENTATION_STATUS_CODE: 1\n" + head +
           (stack.empty() ? "" : fmt::format("INSTRUMENTATION_STATUS: stack={}\n", stack)) +
           fmt::format("INSTRUMENTATION_STATUS_CODE: {}\n", code);
}

std::string parsed(const std::string& text, std::size_t piece = 7) {
    InstrumentParser parser;
    for (std::size_t at = 0; at < text.size(); at += piece) parser.feed(std::string_view(text).substr(at, piece));
    parser.finish();
    std::string out;
    for (const auto& test : parser.tests())
        out += fmt::format("{}.{}:{}:{} ", test.suite, test.name, static_cast<int>(test.verdict), test.message);
    return out + "| " + parser.problem();
}

TEST(Instrument, Verdicts) {
    const std::string all = test_of("a", 0) + test_of("b", -2, "Expected 1\n\tat T.b(T.java:3)") +
                            test_of("c", -1, "NPE") + test_of("d", -3) + test_of("e", -4, "assumed") +
                            "INSTRUMENTATION_RESULT: stream=\n\nTime: 0.1\n\nINSTRUMENTATION_CODE: -1\n";
    const std::string wanted =
        "com.x.T.a:0: com.x.T.b:1:Expected 1\n\tat T.b(T.java:3) com.x.T.c:2:NPE com.x.T.d:3: com.x.T.e:3:assumed "
        "| instrument: 2 of 5 tests failed";
    for (const std::size_t piece : {1, 7, 1000}) EXPECT_EQ(parsed(all, piece), wanted);
    std::string crlf;
    for (const char c : all) crlf += c == '\n' ? "\r\n" : std::string(1, c);
    EXPECT_EQ(parsed(crlf), wanted);
}

TEST(Instrument, WhatEndsEarlyIsNoSuccess) {
    EXPECT_EQ(parsed(test_of("a", 0) + "INSTRUMENTATION_CODE: -1"), "com.x.T.a:0: | ");
    EXPECT_EQ(parsed(test_of("a", 0)), "com.x.T.a:0: | instrument: it did not end: no INSTRUMENTATION_CODE");
    EXPECT_EQ(parsed("INSTRUMENTATION_CODE: -1\n"), "| instrument: no test ran");
    EXPECT_EQ(parsed(test_of("a", 0) + "INSTRUMENTATION_CODE: 0\n"),
              "com.x.T.a:0: | instrument: INSTRUMENTATION_CODE 0");
    EXPECT_EQ(parsed("INSTRUMENTATION_STATUS: test=a\nINSTRUMENTATION_STATUS: class=T\nINSTRUMENTATION_STATUS_CODE: 1\n"
                     "INSTRUMENTATION_RESULT: shortMsg=Process crashed.\nINSTRUMENTATION_CODE: 0\n"),
              "T.a:2:Process crashed. | instrument: Process crashed.");
    EXPECT_EQ(parsed("INSTRUMENTATION_FAILED: com.x/none\n"), "| instrument: com.x/none");
    EXPECT_EQ(parsed(""), "| instrument: it did not end: no INSTRUMENTATION_CODE");
}

TEST(Instrument, LongLinesAreCut) {
    const auto out = parsed(test_of("a", -2, std::string(300'000, 'x')) + "INSTRUMENTATION_CODE: -1\n", 4096);
    EXPECT_LT(out.size(), 20'000U);
}

TEST(Instrument, AsAStep) {
    FakeFleet fleet(1, 1);
    fleet.at(0, [](FakeConnector& c) {
        c.carrier.output = test_of("a", 0) + test_of("b", -2, "boom") + "INSTRUMENTATION_CODE: -1\n";
    });
    const Row row =
        run_on_one(fleet, job_of("- {name: t, instrument: {runner: 'com.x.test/R', args: {class: \"com.x.T'\"}}}\n"));
    EXPECT_EQ(row.error_msg, "Run command failed: instrument: 1 of 2 tests failed (step 't')");
    ASSERT_EQ(row.steps[0].tests.size(), 2U);
    fleet.at(0, [](FakeConnector& c) {
        EXPECT_THAT(c.carrier.opened[0],
                    testing::EndsWith(R"(am instrument -w -r -e 'class' 'com.x.T'\''' 'com.x.test/R')"));
    });
}

}  // namespace
}  // namespace drover::test
