// The controller's side of agents end to end: the real program, `drover source`, and curl in the agent's place.
#include <gtest/gtest.h>

#include "support/openapi.hpp"
#include "support/serve.hpp"

namespace drover::test {
namespace {

class SourceApi : public ::testing::Test {
protected:
    void expect_documented(const CurlAnswer& answer, const std::string& call, const std::string& method) {
        EXPECT_EQ(api.check(call, method, answer.status, answer.json()), "") << answer.body;
    }
    CurlAnswer ask(const std::string& path, const std::optional<std::string>& body = std::nullopt) {
        return call(home, *serve, path, body);
    }
    void start() { serve = std::make_unique<ServeProcess>(home, inventory); }

    const OpenApi api{std::string(DROVER_SOURCE_DIR) + "/config/openapi.yaml"};
    ServeHome home;
    const std::string inventory = home.dir().write("none.yaml", "version: 1\ninstances: []\n").string();
    std::unique_ptr<ServeProcess> serve;
};

TEST_F(SourceApi, FromSendToResultAcrossAKill) {
    start();
    const auto added = home.drover({"source", "add", "rack 1/left"});
    ASSERT_EQ(added.code(), 0) << added.err;
    const auto sent = home.drover({"source", "send", "rack 1/left", "START", "--task", "nightly"});
    ASSERT_EQ(sent.code(), 0) << sent.err;
    EXPECT_EQ(sent.out, "command 1 waits\n");
    EXPECT_EQ(home.drover({"source", "send", "rack 1/left", "START", "--task", "nightly"}).out,
              "command 1 waits already: it is the same one\n");
    const std::string of = "/v3/sources/rack%201%2Fleft";
    const auto command = ask(of + "/command");
    expect_documented(command, "/v3/sources/{server_id}/command", "get");
    EXPECT_EQ(command.body, R"({"command_name":"START","command_param":{"task_id":"nightly"}})");

    serve->process().signal(SIGKILL);
    ASSERT_TRUE(serve->process().wait());
    start();
    EXPECT_EQ(ask(of + "/command").body, command.body) << "a kill lost a command";
    const std::string report = R"({"command_name":"START","result":"success","result_detail":{"msg":"ok"}})";
    const auto taken = ask(of + "/command_result", report);
    EXPECT_EQ(taken.status, 200) << taken.body;
    EXPECT_EQ(taken.body, "");
    EXPECT_EQ(ask(of + "/command").body, "{}");

    serve->process().signal(SIGKILL);
    ASSERT_TRUE(serve->process().wait());
    start();
    EXPECT_EQ(ask(of + "/command_result", report).status, 200) << "an agent's retry across a kill";
    const auto other = ask(of + "/command_result", R"({"command_name":"START","result":"fail","result_detail":{}})");
    EXPECT_EQ(other.status, 400);
    expect_documented(other, "/v3/sources/{server_id}/command_result", "post");
    const auto results = home.drover({"source", "results", "rack 1/left"});
    EXPECT_NE(results.out.find("START"), std::string::npos) << results.out;
    EXPECT_NE(results.out.find(R"(success  {"msg":"ok"})"), std::string::npos) << results.out;
    EXPECT_EQ(serve->stop(), 0);
}

TEST_F(SourceApi, AnswersAsDocumented) {
    start();
    const auto added = ask("/drover/v1/sources", R"({"server_id":"s1"})");
    expect_documented(added, "/drover/v1/sources", "post");
    expect_documented(ask("/drover/v1/sources"), "/drover/v1/sources", "get");
    const std::string commands = "/v3/sources/{server_id}/commands";
    expect_documented(ask("/v3/sources/s1/commands", R"({"command_name":"STOP","command_param":{"task_id":"t"}})"),
                      commands, "post");
    expect_documented(ask("/v3/sources/s1/commands"), commands, "get");
    expect_documented(ask("/v3/sources/s1/commands", "{"), commands, "post");
    expect_documented(ask("/v3/sources/nobody/commands"), commands, "get");
    expect_documented(ask("/v3/sources/nobody/command"), "/v3/sources/{server_id}/command", "get");
    const auto stranger = curl({serve->url() + "/v3/sources/s1/command"});
    EXPECT_EQ(stranger.status, 401);
    expect_documented(stranger, "/v3/sources/{server_id}/command", "get");
    EXPECT_EQ(home.drover({"source", "list"}).out.substr(0, 4), "s1  ");
}

TEST_F(SourceApi, ACommandThatNoAgentOfOursKnowsIsTold) {
    start();
    ASSERT_EQ(home.drover({"source", "add", "s1"}).code(), 0);
    const auto sent = home.drover({"source", "send", "s1", "START_ALL"});
    EXPECT_EQ(sent.code(), 0);
    EXPECT_EQ(
        sent.err,
        "drover: START_ALL is none of START, STOP, DELETE, SYNC, UPLOAD_LOG, RSET_LOG_ACL; an agent that does not "
        "know it says so in its result\n");
}

TEST_F(SourceApi, WrongUsageIsOneLineAndSendsNothing) {
    for (const auto& args : std::vector<std::vector<std::string>>{{"source", "sned", "s1"},
                                                                  {"source", "add"},
                                                                  {"source", "send", "s1"},
                                                                  {"source", "send", "s1", "START"},
                                                                  {"source", "send", "s1", "UPLOAD_LOG", "--task", "t"},
                                                                  {"source", "send", "s1", "RSET_LOG_ACL"},
                                                                  {"source", "list", "s1"},
                                                                  {"source", "results", "s1", "START"}}) {
        const auto finished = home.drover(args);
        EXPECT_EQ(finished.code(), 2) << finished.err;
        EXPECT_EQ(finished.err.substr(0, 8), "drover: ");
    }
}

}  // namespace
}  // namespace drover::test
