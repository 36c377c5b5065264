#include "base/log.hpp"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

namespace drover {
namespace {

std::string written(log::Form form, const std::function<void()>& what) {
    log::set_form(form);
    testing::internal::CaptureStderr();
    what();
    log::set_form(log::Form::text);
    return testing::internal::GetCapturedStderr();
}

void tell() {
    log::event(log::Level::error, "a \"strange\"\nmessage \xff", {{"request_id", "x\"y"}, {"status", "200"}});
}

TEST(Log, AnEventsMembersStandBesideItsMessage) {
    const auto line = boost::json::parse(written(log::Form::json, tell)).as_object();
    EXPECT_EQ(line.at("message"), "a \"strange\"\nmessage \xEF\xBF\xBD");
    EXPECT_EQ(line.at("request_id"), "x\"y");
    EXPECT_EQ(line.at("status"), "200");
    EXPECT_EQ(line.at("level"), "error");
    EXPECT_TRUE(line.contains("time"));
}

TEST(Log, InTextTheyFollowIt) {
    EXPECT_NE(written(log::Form::text, tell).find("request_id=x\"y status=200\n"), std::string::npos);
    EXPECT_NE(written(log::Form::text, [] { log::error("plain"); }).find("plain\n"), std::string::npos);
}

TEST(Log, APlainMessageIsAWholeObject) {
    EXPECT_EQ(boost::json::parse(written(log::Form::json, [] { log::error("plain"); })).at("message"), "plain");
}

}  // namespace
}  // namespace drover
