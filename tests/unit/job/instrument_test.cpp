// What `am instrument -r` prints: the tests it tells of, what is no success, and how much of it is kept.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <malloc.h>

#include "base/utf8.hpp"
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

TEST(Instrument, ASecretThatACutGoesThroughIsNotShownInPart) {
    const std::string secret = "hunter-the-22nd";
    for (std::size_t shown = 1; shown < secret.size(); ++shown) {
        InstrumentParser parser{job::Secrets({secret})};
        const auto until = [&](std::size_t max) { return std::string(max - shown, 'x') + secret + " more"; };
        parser.feed(test_of(until(InstrumentParser::kNameBytesMax), -2, until(InstrumentParser::kMessageBytesMax)));
        constexpr std::string_view kCrash = "INSTRUMENTATION_FAILED: ";
        parser.feed(std::string(kCrash) + until(InstrumentParser::kLineBytesMax - kCrash.size()) + "\n");
        parser.finish();
        ASSERT_EQ(parser.tests().size(), 1U);
        EXPECT_EQ(parser.tests()[0].name, std::string(InstrumentParser::kNameBytesMax - shown, 'x'));
        EXPECT_EQ(parser.tests()[0].message, std::string(InstrumentParser::kMessageBytesMax - shown, 'x'));
        EXPECT_EQ(parser.problem().find('h'), std::string::npos)
            << parser.problem().substr(parser.problem().size() - 20);
    }
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

TEST(Instrument, CodesOutOfRangeAreNoSuccess) {
    constexpr std::string_view kEnd = "INSTRUMENTATION_CODE: -1\n";
    for (const auto code : {"4294967296", "-4294967296", "99999999999999999999", "0x0", ""}) {
        const auto told =
            fmt::format("INSTRUMENTATION_STATUS: test=a\nINSTRUMENTATION_STATUS_CODE: {}\n{}", code, kEnd);
        EXPECT_EQ(parsed(told), ".a:2: | instrument: 1 of 1 test failed") << code;
    }
    EXPECT_EQ(parsed("INSTRUMENTATION_STATUS: test=a\nINSTRUMENTATION_STATUS_CODE: 4294967297\n"),
              ".a:2: | instrument: 1 of 1 test failed")
        << "no test has begun";
    EXPECT_EQ(parsed(test_of("a", 0) + "INSTRUMENTATION_CODE: 4294967295\n"),
              "com.x.T.a:0: | instrument: INSTRUMENTATION_CODE 4294967295");
}

TEST(Instrument, LongLinesAreCut) {
    const auto out = parsed(test_of("a", -2, std::string(300'000, 'x')) + "INSTRUMENTATION_CODE: -1\n", 4096);
    EXPECT_LT(out.size(), 20'000U);
}

// A carriage return ends a line only where it ends; one at the limit is a byte as others are.
TEST(Instrument, HowBytesAreSplitDoesNotMatter) {
    const std::string head = "INSTRUMENTATION_FAILED: ";
    for (const int off : {-2, -1, 0, 1}) {
        const std::string full(InstrumentParser::kLineBytesMax - head.size() + off, 'x');
        for (const std::string_view end : {"\r\n", "\ry\n", "\r\r\n", "y\r\n", "\r", "\r\ry"}) {
            const auto text = head + full + std::string(end);
            const auto whole = parsed(text, text.size());
            for (const std::size_t piece : {std::size_t{1}, std::size_t{4096}, InstrumentParser::kLineBytesMax})
                EXPECT_TRUE(parsed(text, piece) == whole) << off << " " << piece << testing::PrintToString(end);
        }
    }
}

std::size_t heap_in_use() {
    const auto heap = mallinfo2();
    return heap.uordblks + heap.hblkhd;
}

TEST(Instrument, WhatIsNotReadIsNotKept) {
    InstrumentParser parser;
    const auto before = heap_in_use();
    const std::string value(60'000, 'x');
    for (int i = 0; i < 1000; ++i) parser.feed(fmt::format("INSTRUMENTATION_STATUS: key{}={}\n", i, value));
    parser.feed(fmt::format("INSTRUMENTATION_STATUS: {}=1\n", value));
    for (int i = 0; i < 1000; ++i) parser.feed(value + "\n");
    for (const auto key : {"test", "class", "stack"}) {
        parser.feed(fmt::format("INSTRUMENTATION_STATUS: {}={}\n", key, value));
        for (int i = 0; i < 100; ++i) parser.feed(value + "\n");
    }
    EXPECT_LT(heap_in_use(), before + 512UL * 1024);
    parser.feed("INSTRUMENTATION_STATUS_CODE: -2\n");
    ASSERT_EQ(parser.tests().size(), 1U);
    EXPECT_EQ(parser.tests()[0].name.size(), InstrumentParser::kNameBytesMax);
    EXPECT_EQ(parser.tests()[0].suite.size(), InstrumentParser::kNameBytesMax);
    EXPECT_EQ(parser.tests()[0].message.size(), InstrumentParser::kMessageBytesMax);
}

// What is not UTF-8 grows when it is made so: the limits are of what is kept.
TEST(Instrument, LimitsAreOfWhatIsKept) {
    InstrumentParser parser;
    const std::string junk(60'000, '\xff');
    parser.feed(test_of(junk, -2, junk) + "INSTRUMENTATION_FAILED: " + junk + "\n");
    parser.finish();
    ASSERT_EQ(parser.tests().size(), 1U);
    const auto& test = parser.tests()[0];
    EXPECT_LE(test.name.size(), InstrumentParser::kNameBytesMax);
    EXPECT_LE(test.message.size(), InstrumentParser::kMessageBytesMax);
    EXPECT_LE(parser.problem().size(), InstrumentParser::kProblemBytesMax);
    EXPECT_TRUE(is_valid_utf8(test.name) && is_valid_utf8(test.message) && is_valid_utf8(parser.problem()));
}

TEST(Instrument, ManyLongMessagesAreCutTogether) {
    InstrumentParser parser;
    const auto before = heap_in_use();
    const auto failed = test_of("a", -2, std::string(InstrumentParser::kMessageBytesMax, 'x'));
    constexpr auto kFull = InstrumentParser::kMessagesBytesMax / InstrumentParser::kMessageBytesMax,
                   kMore = kFull + 200;
    for (std::size_t i = 0; i < kMore; ++i) parser.feed(failed);
    parser.finish();
    EXPECT_LT(heap_in_use(), before + InstrumentParser::kMessagesBytesMax + 1024UL * 1024);
    ASSERT_EQ(parser.tests().size(), kMore);
    EXPECT_EQ(parser.tests()[kFull - 1].message.size(), InstrumentParser::kMessageBytesMax);
    EXPECT_EQ(parser.tests()[kFull].message, "");
    EXPECT_EQ(parser.tests()[kFull].verdict, TestCase::Verdict::failed);
}

TEST(Instrument, TestsPastTheLimitAreCounted) {
    InstrumentParser parser;
    for (std::size_t i = 0; i < InstrumentParser::kTestsMax; ++i) parser.feed(test_of("a", 0));
    parser.feed(test_of("b", -2) + "INSTRUMENTATION_CODE: -1\n");
    parser.finish();
    EXPECT_EQ(parser.tests().size(), InstrumentParser::kTestsMax);
    EXPECT_EQ(parser.problem(), "instrument: 1 of 10001 tests failed");
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

TEST(Instrument, SecretsAreMaskedInNamesToo) {
    FakeFleet fleet(1, 1);
    fleet.at(0, [](FakeConnector& c) {
        c.carrier.output =
            "INSTRUMENTATION_STATUS: class=T[tops3cret]\nINSTRUMENTATION_STATUS: test=a[tops3cret]\n"
            "INSTRUMENTATION_STATUS: stack=not tops3cret\nINSTRUMENTATION_STATUS_CODE: -2\n";
    });
    auto shared = shared_of(job_of("- {name: t, instrument: {runner: r, args: {token: '{{ secrets.T }}'}}}\n",
                                   "secrets: {T: {env: NONE}}"));
    shared->secrets = job::Secrets({"tops3cret"});
    Rows rows;
    dispatch::dispatch(request_of(fleet, shared), rows)->wait();
    ASSERT_EQ(rows.rows.size(), 1U);
    ASSERT_EQ(rows.rows[0].steps[0].tests.size(), 1U);
    const auto& test = rows.rows[0].steps[0].tests[0];
    EXPECT_EQ(test.suite, "T[***]");
    EXPECT_EQ(test.name, "a[***]");
    EXPECT_EQ(test.message, "not ***");
}

}  // namespace
}  // namespace drover::test
