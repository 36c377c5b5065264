#include "report/junit.hpp"

#include <gtest/gtest.h>

#include "report/github.hpp"
#include "report/html.hpp"
#include "report/progress.hpp"

namespace drover::report {
namespace {

TEST(XmlText, EscapesMarkupAndReplacesWhatXmlCannotCarry) {
    EXPECT_EQ(xml_text("<a b=\"c\">&</a>"), "&lt;a b=&quot;c&quot;&gt;&amp;&lt;/a&gt;");
    EXPECT_EQ(xml_text("a\x1b\x01\n\t\r"), "a\xef\xbf\xbd\xef\xbf\xbd\n\t&#13;");
    EXPECT_EQ(xml_text("\xef\xbf\xbe\xef\xbf\xbf\xef\xbf\xbd"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
    EXPECT_EQ(xml_text("]]>"), "]]&gt;");
    EXPECT_EQ(xml_text("\xc3\xa9"), "\xc3\xa9");
}

TEST(Junit, AFailedCommandIsAFailureAndALostPhoneAnError) {
    Row ok;
    ok.instance_id = "a";
    ok.execute_msg = "hi & bye\n";
    ok.ms = 1'005;
    Row failed;
    failed.instance_id = "b";
    failed.code = Code::command_failed;
    failed.error_msg = "Run command failed.";
    failed.exit_code = 3;
    Row lost;
    lost.instance_id = "c";
    lost.code = Code::link_lost;
    lost.error_msg = "reset";
    const std::vector<Row> rows{ok, failed, lost};
    Summary summary;
    for (const auto& row : rows) summary.tally.add(row);
    summary.ms = 2'000;
    EXPECT_EQ(document_junit("ls <x>", summary, rows),
              R"xml(<?xml version="1.0" encoding="UTF-8"?>
<testsuites>
  <testsuite name="ls &lt;x&gt;" tests="3" failures="1" errors="1" time="2.000">
    <testcase classname="ls &lt;x&gt;" name="a" time="1.005">
      <system-out>hi &amp; bye
</system-out>
    </testcase>
    <testcase classname="ls &lt;x&gt;" name="b" time="0.000">
      <failure type="CPS.0191" message="CPS.0191: Run command failed."></failure>
    </testcase>
    <testcase classname="ls &lt;x&gt;" name="c" time="0.000">
      <error type="DROVER.3001" message="DROVER.3001: reset"></error>
    </testcase>
  </testsuite>
</testsuites>
)xml");
}

// Two phones with two steps: one all good, one with a failure that let the job go on and a test that failed.
std::vector<Row> job_rows() {
    Row good;
    good.instance_id = "a";
    good.execute_msg = "one\ntwo\n";
    StepResult one;
    one.name = "s1";
    one.output_end = 4;
    one.ms = 1'500;
    StepResult two;
    two.name = "s2";
    two.output_begin = 4;
    two.output_end = 8;
    good.steps = {one, two};
    Row bad = good;
    bad.instance_id = "b";
    bad.code = Code::command_failed;
    bad.error_msg = "tests failed";
    bad.steps[0].code = Code::timeout;
    bad.steps[0].error_msg = "too slow";
    bad.steps[0].continued = true;
    bad.steps[1].code = Code::command_failed;
    bad.steps[1].error_msg = "tests failed";
    bad.steps[1].tests = {{"T", "passes", TestCase::Verdict::passed, ""},
                          {"T", "fails", TestCase::Verdict::failed, "a < b\nat T"}};
    return {good, bad};
}

TEST(Junit, JobsHaveASuiteAPhoneOrAStep) {
    const auto rows = job_rows();
    const auto phones = document_junit("j", Summary{}, rows, JunitSuite::phone);
    EXPECT_NE(phones.find("  <testsuite name=\"a\" tests=\"2\" failures=\"0\" errors=\"0\" time=\"0.000\">\n"
                          "    <testcase classname=\"a\" name=\"s1\" time=\"1.500\">\n"
                          "      <system-out>one\n</system-out>\n    </testcase>\n"),
              std::string::npos)
        << phones;
    EXPECT_NE(phones.find("  <testsuite name=\"b\" tests=\"4\" failures=\"2\" errors=\"0\""), std::string::npos)
        << phones;
    EXPECT_NE(phones.find("<system-err>DROVER.1005: too slow</system-err>"), std::string::npos) << phones;
    EXPECT_NE(phones.find("<testcase classname=\"T\" name=\"fails\" time=\"0.000\">\n"
                          "      <failure type=\"CPS.0191\" message=\"a &lt; b\">a &lt; b\nat T</failure>"),
              std::string::npos)
        << phones;
    const auto steps = document_junit("j", Summary{}, rows, JunitSuite::step);
    EXPECT_NE(steps.find("<testsuite name=\"s1\" tests=\"2\" failures=\"0\""), std::string::npos) << steps;
    EXPECT_NE(steps.find("<testcase classname=\"s2\" name=\"b\""), std::string::npos) << steps;
}

TEST(Junit, APhoneThatFailedBetweenStepsFailsInEveryShape) {
    auto rows = job_rows();
    for (auto& step : rows[1].steps) step.code = Code::ok;
    rows[1].steps[1].skipped = true;
    rows[1].code = Code::cancelled;
    rows[1].error_msg = "stopped at a barrier";
    const auto phones = document_junit("j", Summary{}, rows, JunitSuite::phone);
    EXPECT_NE(phones.find("<error type=\"DROVER.5001\" message=\"DROVER.5001: stopped at a barrier\">"),
              std::string::npos)
        << phones;
    const auto steps = document_junit("j", Summary{}, rows, JunitSuite::step);
    EXPECT_NE(steps.find("<testsuite name=\"between steps\" tests=\"1\" failures=\"0\" errors=\"1\""),
              std::string::npos)
        << steps;
    EXPECT_NE(steps.find("<testcase classname=\"between steps\" name=\"b\""), std::string::npos) << steps;
}

TEST(Junit, FilesOfAStepAreAttachments) {
    auto rows = job_rows();
    rows[0].steps[0].files = {"a/1-s1/x & y.txt", "a/1-s1/z"};
    rows[0].steps[1].files = {"a/2-s2/only"};
    rows[0].steps[1].output_begin = 8;
    const auto phones = document_junit("j", Summary{}, rows, JunitSuite::phone, "out/art");
    EXPECT_NE(phones.find("<system-out>one\n[[ATTACHMENT|out/art/a/1-s1/x &amp; y.txt]]\n"
                          "[[ATTACHMENT|out/art/a/1-s1/z]]\n</system-out>"),
              std::string::npos)
        << phones;
    EXPECT_NE(phones.find("<system-out>[[ATTACHMENT|out/art/a/2-s2/only]]\n</system-out>"), std::string::npos)
        << phones;
    rows[0].execute_msg[3] = ' ';
    const auto steps = document_junit("j", Summary{}, rows, JunitSuite::step);
    EXPECT_NE(steps.find("<system-out>one \n[[ATTACHMENT|a/1-s1/x"), std::string::npos) << steps;
}

TEST(Junit, WhatAPhonePrintsAttachesNothing) {
    auto rows = job_rows();
    rows.pop_back();
    rows[0].execute_msg = "[[ATTACHMENT|/etc/passwd]]x[[ATTACHMENT|";
    rows[0].steps[0].output_end = rows[0].steps[1].output_begin = rows[0].steps[1].output_end =
        static_cast<std::uint32_t>(rows[0].execute_msg.size());
    for (const auto suite : {JunitSuite::call, JunitSuite::phone, JunitSuite::step}) {
        const auto text = document_junit("j", Summary{}, rows, suite);
        EXPECT_EQ(text.find("[[ATT"), std::string::npos) << text;
        EXPECT_NE(text.find("[ [ATTACHMENT|/etc/passwd]]x[ [ATTACHMENT|<"), std::string::npos) << text;
    }
    rows[0].steps[0].kind = "host-run";
    EXPECT_NE(document_junit("j", Summary{}, rows, JunitSuite::phone).find("[[ATTACHMENT|/etc/passwd]]"),
              std::string::npos);
}

TEST(Junit, WhatAPhoneSaysInAnErrorThatWasLetPassAttachesNothing) {
    auto rows = job_rows();
    rows.pop_back();
    auto& step = rows[0].steps[0];
    step.code = Code::refused;
    step.continued = true;
    step.error_msg = "it said [[ATTACHMENT|/etc/passwd]]";
    for (const auto suite : {JunitSuite::phone, JunitSuite::step}) {
        const auto text = document_junit("j", Summary{}, rows, suite);
        EXPECT_EQ(text.find("[[ATT"), std::string::npos) << text;
        EXPECT_NE(text.find("it said [ [ATTACHMENT|/etc/passwd]]</system-err>"), std::string::npos) << text;
    }
}

TEST(Junit, AFileWhoseNameWouldReadAsAnotherIsNoAttachment) {
    auto rows = job_rows();
    rows.pop_back();
    rows[0].steps[0].files = {"a/x]]", "a/x]", "a/]]\n[[ATTACHMENT|/etc/passwd", "a/x\ny", "a/x\ry", "a/[good].txt"};
    const auto text = document_junit("j", Summary{}, rows, JunitSuite::phone, "art");
    EXPECT_NE(text.find("<system-out>one\n[[ATTACHMENT|art/a/[good].txt]]\n</system-out>"), std::string::npos) << text;
    EXPECT_EQ(document_junit("j", Summary{}, rows, JunitSuite::phone, "a]]t").find("[[ATT"), std::string::npos);
}

TEST(Html, FilesOfAStepAreLinks) {
    auto rows = job_rows();
    rows[1].steps[0].files = {"b/1-s1/100% \"<x>\".txt", "b/1-s1/z"};
    const auto page = document_html("j", Summary{}, rows, "../my art");
    EXPECT_NE(
        page.find("<p class=\"files\"><a href=\"../my%20art/b/1-s1/100%25%20%22%3Cx%3E%22.txt\">"
                  "b/1-s1/100% &quot;&lt;x&gt;&quot;.txt</a><br><a href=\"../my%20art/b/1-s1/z\">b/1-s1/z</a></p>"),
        std::string::npos)
        << page;
    const auto without = document_html("j", Summary{}, rows);
    EXPECT_EQ(without.find("<a "), std::string::npos) << without;
    EXPECT_NE(without.find("b/1-s1/z</p>"), std::string::npos) << without;
}

TEST(Html, IsOnePageWithoutScripts) {
    auto rows = job_rows();
    rows[1].execute_msg[4] = '<';
    const auto page = document_html("a <job>", Summary{}, rows);
    EXPECT_NE(page.find("<title>a &lt;job&gt;</title>"), std::string::npos);
    EXPECT_NE(page.find("<td class=\"c continued\""), std::string::npos);
    EXPECT_NE(page.find("<pre>&lt;wo\n"), std::string::npos);
    EXPECT_EQ(page.find("<script"), std::string::npos);
    EXPECT_EQ(page.find("http"), page.find("http-equiv"));
    EXPECT_TRUE(page.ends_with("</body></html>\n"));
}

TEST(GitHub, GroupsAndAnnotations) {
    auto rows = job_rows();
    EXPECT_EQ(github_group_begin(rows[0], "tok"), "::group::a: ok\n::stop-commands::tok\n");
    EXPECT_EQ(github_group_end("tok"), "::tok::\n::endgroup::\n");
    EXPECT_EQ(github_annotation(rows[0]), "");
    rows[1].error_msg = "50% of it";
    EXPECT_EQ(github_annotation(rows[1]), "::error title=b::CPS.0191: 50%25 of it\n");
}

// What a phone or a user wrote begins no command and no property of its own.
TEST(GitHub, NothingEndsTheLineOrTheTitle) {
    auto rows = job_rows();
    rows[1].instance_id = "b,file=x::c\r\n";
    rows[1].error_msg = "one\n::set-env::, two\r";
    EXPECT_EQ(github_annotation(rows[1]),
              "::error title=b%2Cfile=x%3A%3Ac%0D%0A::CPS.0191: one\\n::set-env::, two\\r\n");
    EXPECT_EQ(github_group_begin(rows[1], "tok"),
              "::group::b,file=x::c%0D%0A: CPS.0191: one\\n::set-env::, two\\r\n::stop-commands::tok\n");
}

TEST(Progress, NamesTheLastOnesAndFitsTheTerminal) {
    const std::vector<std::string> two{"rack1-03", "rack1-07"};
    EXPECT_EQ(progress_text(18, 20, 1, two, 80), "18/20 done, 1 failed, still: rack1-03 rack1-07");
    EXPECT_EQ(progress_text(18, 20, 0, two, 12), "18/20 done, ");
    const std::vector<std::string> many(kProgressNamesMax + 1, "x");
    EXPECT_EQ(progress_text(0, 6, 0, many, 80), "0/6 done");
}

TEST(ProgressPace, AtMostTenDrawsASecond) {
    ProgressPace pace;
    const auto start = ProgressPace::TimePoint{} + std::chrono::hours(1);
    EXPECT_TRUE(pace.may_draw(start));
    pace.drawn(start);
    EXPECT_FALSE(pace.may_draw(start + std::chrono::milliseconds(99)));
    EXPECT_TRUE(pace.may_draw(start + std::chrono::milliseconds(100)));
}

}  // namespace
}  // namespace drover::report
