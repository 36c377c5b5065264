#include "agent/command.hpp"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "http/source_body.hpp"

namespace drover::agent {
namespace {

TEST(AgentCommand, TheSeedsExample) {
    const auto parsed = parse_command(
        R"({ "command_name" : "START", "command_param" : { "task_id" : "2c0689c860ad4728a497c91ec0844384" } })");
    ASSERT_TRUE(parsed && *parsed);
    EXPECT_EQ((*parsed)->key, (Key{"START", "2c0689c860ad4728a497c91ec0844384"}));
    EXPECT_EQ((*parsed)->bucket, "");
}

TEST(AgentCommand, NothingToDoHasManyForms) {
    for (const std::string_view body :
         {"", "  \r\n", "{}", "null", R"({"command_name":null})", R"({"command_name":""})",
          R"({"command_name":"TASK_NOT_STARTED"})", R"({"command_name":"TASK_HAS_STOPPED","command_param":{}})",
          R"({"command_name":"TASK_HAS_FINISHED","command_param":null})", R"({"command_param":{"task_id":"t"}})"}) {
        const auto parsed = parse_command(body);
        ASSERT_TRUE(parsed) << body << ": " << parsed.error();
        EXPECT_FALSE(*parsed) << body;
    }
}

TEST(AgentCommand, ABadAnswerIsAnErrorAndNoCommand) {
    for (const std::string& body :
         {std::string("{"), std::string("[]"), std::string("7"), std::string(R"({"command_name":7})"),
          std::string(R"({"command_name":"START","command_param":[]})"),
          std::string(R"({"command_name":"START","command_param":{"task_id":{}}})"),
          std::string(R"({"command_name":"START","command_param":{"bucket":1}})"),
          R"({"command_name":")" + std::string(256, 'x') + R"("})", std::string("{\"command_name\":\"\xff\"}"),
          std::string(2000, '[')}) {
        EXPECT_FALSE(parse_command(body)) << body;
    }
}

TEST(AgentCommand, UnknownNamesAndParametersAreCommands) {
    const auto parsed = parse_command(R"({"command_name":"SKIP","command_param":{"bucket":"b","other":[1]},"more":1})");
    ASSERT_TRUE(parsed && *parsed);
    EXPECT_EQ((*parsed)->key, (Key{"SKIP", ""}));
    EXPECT_EQ((*parsed)->bucket, "b");
}

TEST(AgentReport, SaysAllThatIsAsked) {
    Outcome outcome;
    outcome.ok = false;
    outcome.msg = "1 of 2 phones failed";
    outcome.started_ms = 1'000;
    outcome.finished_ms = 61'000;
    outcome.instances = Counts{2, 1, 1};
    outcome.failures = {{"rack1-01", "CPS.0191", "Run command failed: exit code 3"}};
    EXPECT_EQ(boost::json::parse(build_report({"START", "t1"}, outcome)), boost::json::parse(R"({
        "command_name":"START","result":"fail","result_detail":{"msg":"1 of 2 phones failed","task_id":"t1",
        "started_at":"1970-01-01T00:00:01Z","finished_at":"1970-01-01T00:01:01Z",
        "instances":{"total":2,"ok":1,"failed":1},
        "first_failures":[{"instance_id":"rack1-01","error_code":"CPS.0191","error_msg":"Run command failed: exit code 3"}]}})"));
}

TEST(AgentReport, AlwaysHasMsgAndTaskId) {
    Outcome outcome;
    outcome.ok = true;
    const auto detail = boost::json::parse(build_report({"SKIP", ""}, outcome)).at("result_detail");
    EXPECT_EQ(detail.at("msg"), "");
    EXPECT_EQ(detail.at("task_id"), "");
}

// A whole request has at most 10,240 bytes, however long the texts are and however they are escaped.
TEST(AgentReport, StaysWithinItsBytes) {
    Outcome outcome;
    outcome.msg = std::string(100'000, '\x01');
    for (int i = 0; i < 100; ++i)
        outcome.failures.push_back({"p" + std::to_string(i), "X", std::string(5'000, '\x02')});
    const Key key{std::string(255, '\x03'), std::string(255, '\x04')};
    const auto report = build_report(key, outcome);
    EXPECT_LE(report.size(), kReportBytesMax);
    const auto read = http::parse_result_body(report);
    ASSERT_TRUE(read) << read.error();
    EXPECT_EQ(read->name, key.name);
    EXPECT_EQ(read->task_id, key.task_id);
    outcome.msg = "short";
    EXPECT_NE(build_report({"START", "t"}, outcome).find("first_failures"), std::string::npos);
}

TEST(AgentReport, WhatIsNotUtf8IsReplaced) {
    Outcome outcome;
    outcome.msg = "a\xff";
    EXPECT_TRUE(http::parse_result_body(build_report({"START", "t"}, outcome)));
}

}  // namespace
}  // namespace drover::agent
