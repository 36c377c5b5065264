// The controller's side of agents, rule by rule: a request in, its answer out.
#include "service_fixture.hpp"

namespace drover::http {
namespace {

class SourceCalls : public ServiceTest {
protected:
    SourceCalls() {
        EXPECT_EQ(ask(post("/drover/v1/sources", R"({"server_id":"f32ab4d6-d150-4fb3-aa55-edbb5cf9947f"})")).status,
                  200);
    }
    net::Response poll() { return ask(get(kSource + "/command")); }
    net::Response report(std::string body) { return ask(post(kSource + "/command_result", std::move(body))); }
    net::Response send(std::string name, std::string param = R"({"task_id":"t1"})") {
        return ask(post(kSource + "/commands", R"({"command_name":")" + name + R"(","command_param":)" + param + "}"));
    }
    const std::string kSource = "/v3/sources/f32ab4d6-d150-4fb3-aa55-edbb5cf9947f";
};

// The example of "Obtaining Commands from SMS".
TEST_F(SourceCalls, TheSeedsExampleOfACommand) {
    ASSERT_EQ(send("START", R"({"task_id":"2c0689c860ad4728a497c91ec0844384"})").status, 200);
    const auto answer = poll();
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(parse(answer), boost::json::parse(R"({"command_name":"START",
        "command_param":{"task_id":"2c0689c860ad4728a497c91ec0844384"}})"));
}

// The example of "Reporting the Command Execution Result to SMS".
TEST_F(SourceCalls, TheSeedsExampleOfAResultAndNoBody) {
    send("START");
    poll();
    const auto answer = report(R"({
  "command_name" : "START",
  "result" : "success",
  "result_detail" : {
    "msg" : "xxx"
  }
})");
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "");
    EXPECT_EQ(poll().body, "{}");
}

TEST_F(SourceCalls, IdleIsAnEmptyObject) {
    const auto answer = poll();
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "{}");
}

TEST_F(SourceCalls, TheBucketIsToldWhenThereIsOne) {
    send("UPLOAD_LOG", R"({"task_id":"t1","bucket":"lab-logs"})");
    EXPECT_EQ(parse(poll()).at("command_param"), boost::json::parse(R"({"task_id":"t1","bucket":"lab-logs"})"));
}

TEST_F(SourceCalls, AnUnknownSourceIs404) {
    for (const std::string id : {"nobody", "%FF", "a%2Fb"}) {
        expect_error(ask(get("/v3/sources/" + id + "/command")), 404, "APIGW.0101", "source server");
        expect_error(ask(post("/v3/sources/" + id + "/command_result", "{}")), 404, "APIGW.0101");
        expect_error(ask(post("/v3/sources/" + id + "/commands", "{}")), 404, "APIGW.0101");
        expect_error(ask(get("/v3/sources/" + id + "/commands")), 404, "APIGW.0101");
    }
    expect_error(ask(get("/v3/sources//command")), 404, "APIGW.0101");
}

TEST_F(SourceCalls, NoOrBadCredentialsAre401) {
    for (auto request : {get(kSource + "/command"), post(kSource + "/command_result", "{}"),
                         post(kSource + "/commands", "{}"), get("/drover/v1/sources")}) {
        request.headers = {};
        expect_error(ask(request), 401, "APIGW.0301");
        request.headers = {{"X-Auth-Token", "wrong"}};
        expect_error(ask(request), 401, "APIGW.0301");
    }
}

TEST_F(SourceCalls, TheDocumentedCallsNeedNoRequestId) {
    auto request = get(kSource + "/command");
    request.headers = {{"X-Auth-Token", "good"}};
    const auto answer = ask(request);
    EXPECT_EQ(answer.status, 200);
    EXPECT_TRUE(answer.header("X-Request-Id"));
}

TEST_F(SourceCalls, TheServerIdHas1To255Characters) {
    const auto add = [&](const std::string& id) {
        return ask(post("/drover/v1/sources", R"({"server_id":")" + id + R"("})"));
    };
    std::string wide;
    for (int i = 0; i < 255; ++i) wide += "\xc3\xa4";
    EXPECT_EQ(add(wide).status, 200) << "characters count, not bytes";
    expect_error(add(std::string(256, 'x')), 400, "KOOPHONE.API.1000", "255");
    expect_error(add(""), 400, "KOOPHONE.API.1000", "empty");
    expect_error(add("a\\nb"), 400, "KOOPHONE.API.1000", "control");
    EXPECT_EQ(add("rack 1/left").status, 200);
    EXPECT_EQ(ask(get("/v3/sources/rack%201%2Fleft/command")).status, 200) << "%2F is a part of the id";
}

TEST_F(SourceCalls, ABadResultIs6022) {
    send("START");
    poll();
    for (const std::string body :
         {"", "[]", "{", R"({"result":"success","result_detail":{}})",
          R"({"command_name":"START","result":"ok","result_detail":{}})",
          R"({"command_name":"START","result_detail":{}})", R"({"command_name":"START","result":1,"result_detail":{}})",
          R"({"command_name":"START","result":"fail"})",
          R"({"command_name":"START","result":"fail","result_detail":[]})",
          R"({"command_name":"START","result":"fail","result_detail":"x"})",
          R"({"command_name":"START","result":"fail","result_detail":null})",
          R"({"command_name":7,"result":"fail","result_detail":{}})",
          R"({"command_name":"START","result":"fail","result_detail":{"task_id":7}})",
          R"({"command_name":"START","result":"fail","result_detail":{}} x)"}) {
        expect_error(report(body), 400, "SMS.6022");
    }
    EXPECT_EQ(parse(poll()).at("command_name"), "START") << "nothing was taken";
}

TEST_F(SourceCalls, AResultWithoutADeliveredCommandIs2009) {
    expect_error(report(R"({"command_name":"START","result":"success","result_detail":{}})"), 400, "SMS.2009");
    send("START");
    expect_error(report(R"({"command_name":"START","result":"success","result_detail":{}})"), 400, "SMS.2009");
    poll();
    expect_error(report(R"({"command_name":"START","result":"success","result_detail":{"task_id":"t2"}})"), 400,
                 "SMS.2009", "t2");
    EXPECT_EQ(report(R"({"command_name":"START","result":"success","result_detail":{"task_id":"t1"}})").status, 200);
}

TEST_F(SourceCalls, TheSameReportAgainIs200AndTakesNothing) {
    const std::string body = R"({"command_name":"START","result":"success","result_detail":{"msg":"m"}})";
    send("START");
    poll();
    EXPECT_EQ(report(body).status, 200);
    send("START", R"({"task_id":"t2"})");
    poll();
    EXPECT_EQ(report(body).status, 200);
    EXPECT_EQ(parse(poll()).at("command_param").at("task_id"), "t2");
}

TEST_F(SourceCalls, EqualWaitingCommandsMerge) {
    const auto first = parse(send("START")).at("data");
    EXPECT_EQ(first.at("merged"), false);
    const auto second = parse(send("START")).at("data");
    EXPECT_EQ(second.at("merged"), true);
    EXPECT_EQ(second.at("number"), first.at("number"));
}

TEST_F(SourceCalls, BadCommandsAreRefused) {
    const auto send_body = [&](std::string body) { return ask(post(kSource + "/commands", std::move(body))); };
    for (const std::string body :
         {"", "{}", R"({"command_name":""})", R"({"command_name":1})", R"({"command_name":"TASK_HAS_STOPPED"})",
          R"({"command_name":"START","command_param":[]})", R"({"command_name":"START","command_param":{"task_id":1}})",
          R"({"command_name":"START","command_param":{"bucket":{}}})"}) {
        expect_error(send_body(body), 400, "KOOPHONE.API.1000");
    }
    expect_error(send_body(R"({"command_name":")" + std::string(256, 'x') + R"("})"), 400, "KOOPHONE.API.1000");
    EXPECT_EQ(poll().body, "{}");
    EXPECT_EQ(send_body(R"({"command_name":"SKIP"})").status, 200) << "the set of names is open";
}

TEST_F(SourceCalls, ResultsAreListed) {
    send("START");
    poll();
    report(R"({"command_name":"START","result":"fail","result_detail":{"msg":"m","task_id":"t1"}})");
    send("STOP");
    const auto all = parse(ask(get(kSource + "/commands"))).at("data").at("commands").as_array();
    ASSERT_EQ(all.size(), 2U);
    EXPECT_EQ(text(all[0].at("state")), "waiting");
    EXPECT_EQ(text(all[1].at("result")), "fail");
    EXPECT_EQ(text(all[1].at("result_detail").at("msg")), "m");
    const auto listed = parse(ask(get("/drover/v1/sources"))).at("data").at("sources").as_array();
    ASSERT_EQ(listed.size(), 1U);
    EXPECT_EQ(listed[0].at("waiting"), 1);
}

TEST_F(SourceCalls, AnotherTenantsSourceIsUnknown) {
    auto request = get(kSource + "/command");
    request.headers = {{"X-Auth-Token", "limited"}};
    expect_error(ask(request), 404, "APIGW.0101");
    auto add = post("/drover/v1/sources", R"({"server_id":"f32ab4d6-d150-4fb3-aa55-edbb5cf9947f"})");
    add.headers = {{"X-Auth-Token", "limited"}};
    expect_error(ask(add), 400, "KOOPHONE.API.1001");
    add.body = R"({"server_id":"mine","tenant":"all"})";
    expect_error(ask(add), 400, "KOOPHONE.API.1001");
    add.body = R"({"server_id":"mine"})";
    EXPECT_EQ(ask(add).status, 200);
    request.target = "/v3/sources/mine/command";
    EXPECT_EQ(ask(request).status, 200);
    auto list = get("/drover/v1/sources");
    list.headers = request.headers;
    EXPECT_EQ(parse(ask(list)).at("data").at("sources").as_array().size(), 1U);
}

TEST_F(SourceCalls, TheUnixSocketAddsForAnybody) {
    auto add = post("/drover/v1/sources", R"({"server_id":"theirs","tenant":"some"})");
    add.headers = {};
    add.local = true;
    ASSERT_EQ(ask(add).status, 200);
    auto request = get("/v3/sources/theirs/command");
    expect_error(ask(request), 404, "APIGW.0101");
    request.headers = {{"X-Auth-Token", "limited"}};
    EXPECT_EQ(ask(request).status, 200);
}

// The second check vector of the signature: GET of a command, no body.
TEST_F(SourceCalls, SignedRequestsWork) {
    ServiceOptions options;
    options.now = [] { return std::chrono::sys_days(std::chrono::year(2024) / 1 / 1) + std::chrono::seconds(5); };
    make(std::move(options));
    auto all = std::make_shared<Tenant>();
    all->name = "all";
    all->all = true;
    service->set_authenticator(std::make_shared<Authenticator>(
        std::vector<Authenticator::Token>{}, std::vector<Authenticator::Key>{{"AKTEST", "SKTEST", all}}));
    auto request = get(kSource + "/command");
    request.headers = {{"Host", "127.0.0.1:8080"},
                       {"X-Sdk-Date", "20240101T000000Z"},
                       {"Content-Type", "application/json"},
                       {"Authorization",
                        "SDK-HMAC-SHA256 Access=AKTEST, SignedHeaders=content-type;host;x-sdk-date, "
                        "Signature=12468f3aa5b37bc0d36343ee72e24799e9b194c09e12677c2b4d72b425f3bef1"}};
    EXPECT_EQ(ask(request).status, 200);
    request.headers[3].value.back() = '0';
    expect_error(ask(request), 401, "APIGW.0301");
}

}  // namespace
}  // namespace drover::http
