// The documented API end to end: the real program, virtual phones, curl.
#include <gtest/gtest.h>

#include <fstream>

#include "support/openapi.hpp"
#include "support/serve.hpp"
#include "where.hpp"

namespace drover::test {
namespace {

using boost::json::value;

const OpenApi& documented() {
    static const OpenApi api(std::string(DROVER_SOURCE_DIR) + "/config/openapi.yaml");
    return api;
}

std::string text_of(const value& v) { return std::string(v.as_string().c_str()); }

class Api : public ::testing::Test {
protected:
    static void SetUpTestSuite() { sim_ = std::make_unique<SimProcess>(3); }
    static void TearDownTestSuite() { sim_.reset(); }

    CurlAnswer ask(const std::string& path, const std::optional<std::string>& body = std::nullopt) {
        return call(home, serve, path, body);
    }
    // The status of the first phone, once `key` has become that or the time is over.
    CurlAnswer ask_until(const char* key, int wanted) {
        const std::string path = "/v1/instances/batch-query-status";
        const auto until = std::chrono::steady_clock::now() + kWaitMax;
        for (;;) {
            auto answer = ask(path, R"({"instance_ids":["vphone-0001","nobody"]})");
            if (item_of(answer).at(key) == wanted || std::chrono::steady_clock::now() > until) return answer;
        }
    }
    static value item_of(const CurlAnswer& answer) { return answer.json().at("data").at("status_results").at(0); }
    // The answer agrees with openapi.yaml.
    void expect_documented(const CurlAnswer& answer, const std::string& path, const std::string& method) {
        EXPECT_EQ(documented().check(path, method, answer.status, answer.json()), "") << answer.body;
    }

    static std::unique_ptr<SimProcess> sim_;
    ServeHome home;
    ServeProcess serve{home, sim_->inventory()};
};
std::unique_ptr<SimProcess> Api::sim_;

constexpr const char* kTwo = R"({"command" : "echo hello", "instance_ids" : [ "vphone-0001", "vphone-0002" ]})";

TEST_F(Api, SyncCommand) {
    const auto answer = ask("/v1/instances/sync-command", kTwo);
    ASSERT_EQ(answer.status, 200) << answer.body;
    expect_documented(answer, "/v1/instances/sync-command", "post");
    const auto rows = answer.json().at("data").at("cmd_results").as_array();
    ASSERT_EQ(rows.size(), 2U);
    EXPECT_EQ(rows[1].at("status"), 2);
    EXPECT_EQ(text_of(rows[1].at("execute_msg")), "hello\n") << "the newline at the end is kept";
    const auto failed =
        ask("/v1/instances/sync-command", R"({"command":"ls /nowhere","instance_ids":["vphone-0003"]})");
    expect_documented(failed, "/v1/instances/sync-command", "post");
    EXPECT_EQ(text_of(failed.json().at("data").at("cmd_results").at(0).at("error_code")), "CPS.0191");
    EXPECT_EQ(serve.stop(), 0);
}

TEST_F(Api, OutputIsCutAt1024BytesAndCounted) {
    const auto row = ask("/v1/instances/sync-command", R"({"command":"seq 1 1000","instance_ids":["vphone-0001"]})")
                         .json()
                         .at("data")
                         .at("cmd_results")
                         .at(0);
    EXPECT_EQ(row.at("status"), 2);
    EXPECT_EQ(text_of(row.at("execute_msg")).size(), 1024U);
    EXPECT_TRUE(row.at("truncated").as_bool());
    EXPECT_EQ(row.at("output_bytes"), 3893);
    EXPECT_EQ(row.at("exit_code"), 0) << "the exit code came after what was cut";
}

TEST_F(Api, AsyncCommandAndItsTask) {
    const auto accepted = ask("/v1/instances/async-command", kTwo);
    ASSERT_EQ(accepted.status, 200) << accepted.body;
    expect_documented(accepted, "/v1/instances/async-command", "post");
    const auto id = text_of(accepted.json().at("data").at("task_id"));
    const auto waited = home.drover({"task", "wait", id, "--timeout", "60s"});
    EXPECT_EQ(waited.code(), 0) << waited.err;
    EXPECT_NE(waited.out.find("vphone-0001: ok\nhello\n"), std::string::npos) << waited.out;
    const auto asked = ask("/v1/instances/tasks/" + id);
    expect_documented(asked, "/v1/instances/tasks/{task_id}", "get");
    EXPECT_EQ(asked.json().at("data").at("jobs").at(0).at("status"), 2);
    EXPECT_EQ(asked.json().at("data").at("jobs").at(0).at("job_id"),
              accepted.json().at("data").at("cmd_jobs").at(0).at("job_id"));
    expect_documented(ask("/drover/v1/tasks/" + id), "/drover/v1/tasks/{task_id}", "get");
    expect_documented(ask("/drover/v1/tasks"), "/drover/v1/tasks", "get");
    EXPECT_NE(home.drover({"task", "list"}).out.find(id), std::string::npos);
    expect_documented(ask("/v1/instances/tasks/" + std::string(32, '0')), "/v1/instances/tasks/{task_id}", "get");
}

TEST_F(Api, CancelClosesTheCommandOnThePhone) {
    const auto id =
        text_of(ask("/v1/instances/async-command", R"({"command":"sleep 600","instance_ids":["vphone-0001"]})")
                    .json()
                    .at("data")
                    .at("task_id"));
    const auto cancelled = ask("/drover/v1/tasks/" + id + "/cancel", "");
    expect_documented(cancelled, "/drover/v1/tasks/{task_id}/cancel", "post");
    EXPECT_EQ(cancelled.json().at("data").at("ended"), false);
    EXPECT_EQ(home.drover({"task", "wait", id}).code(), 19);
    EXPECT_NE(home.drover({"task", "show", id}).out.find("DROVER.5001"), std::string::npos);
    EXPECT_EQ(home.drover({"task", "cancel", id}).out, "task " + id + " has ended already\n");
}

// Phones change in the background; asking again is what a client does.
TEST_F(Api, BatchQueryStatus) {
    const std::string path = "/v1/instances/batch-query-status";
    const auto answer = ask_until("status", 2);
    expect_documented(answer, path, "post");
    EXPECT_EQ(answer.json().at("data").at("status_results").as_array().size(), 1U);
    EXPECT_EQ(answer.json().at("data").at("status_results").at(0).at("status"), 2);
    expect_documented(ask("/drover/v1/devices"), "/drover/v1/devices", "get");
}

TEST_F(Api, APhoneWhoseLogIsReadSaysSo) {
    EXPECT_EQ(item_of(ask_until("status", 2)).at("activity"), 0);
    const auto id = text_of(ask("/v1/instances/async-command", R"({"command":"logcat","instance_ids":["vphone-0001"]})")
                                .json()
                                .at("data")
                                .at("task_id"));
    EXPECT_EQ(item_of(ask_until("activity", 3)).at("activity"), 3);
    ask("/drover/v1/tasks/" + id + "/cancel", "");
    const auto after = item_of(ask_until("activity", 0));
    EXPECT_EQ(after.at("activity"), 0);
    EXPECT_EQ(after.at("status"), 2);
}

TEST_F(Api, ErrorsAsDocumented) {
    const std::string path = "/v1/instances/sync-command";
    const auto bad = ask(path, R"({"command":"ls; reboot","instance_ids":["vphone-0001"]})");
    EXPECT_EQ(bad.status, 400);
    expect_documented(bad, path, "post");
    const auto foreign = ask(path, R"({"command":"ls","instance_ids":["nobody"]})");
    EXPECT_EQ(text_of(foreign.json().at("error_code")), "KOOPHONE.API.1001");
    const auto stranger = curl({"-H", "X-Auth-Token: wrong", "-d", kTwo, serve.url() + path});
    EXPECT_EQ(stranger.status, 401);
    expect_documented(stranger, path, "post");
    EXPECT_EQ(ask("/v1/nothing").status, 404);
    EXPECT_EQ(curl({"-X", "DELETE", "-H", "X-Auth-Token: " + home.token(), serve.url() + path}).status, 405);
    EXPECT_EQ(curl({"-H", "X-Auth-Token: " + std::string(30'000, 'x'), serve.url() + path}).status, 431);
    const auto large = curl(
        {"-H", "X-Auth-Token: " + home.token(), "-H", "x-request-id: 1", "--data-binary", "@-", serve.url() + path},
        std::string(100'000, ' '));
    EXPECT_EQ(large.status, 400);
    EXPECT_EQ(text_of(large.json().at("error_code")), "KOOPHONE.API.1000");
    EXPECT_EQ(curl({serve.url() + "/healthz"}).body, "ok\n");
}

TEST_F(Api, TheUnixSocketNeedsNoToken) {
    const auto answer =
        curl({"--unix-socket", home.socket(), "-d", kTwo, "http://localhost/v1/instances/sync-command"});
    EXPECT_EQ(answer.status, 200) << answer.body;
}

TEST_F(Api, ManyRequestsOnOneConnection) {
    std::vector<std::string> args{"-H", "X-Auth-Token: " + home.token(),  "-H", "x-request-id: 1", "-d", kTwo,
                                  "-w", "%{num_connects} %{http_code}\n", "-o", "/dev/null"};
    for (int i = 0; i < 5; ++i) args.push_back(serve.url() + "/v1/instances/sync-command");
    for (int i = 0; i < 4; ++i) args.insert(args.end(), {"-o", "/dev/null"});
    ProcessOptions o;
    o.argv = {"curl", "-s"};
    o.argv.insert(o.argv.end(), args.begin(), args.end());
    EXPECT_EQ(run(std::move(o)).out, "1 200\n0 200\n0 200\n0 200\n0 200\n");
}

TEST_F(Api, HangupReadsTokensAgain) {
    const auto made = home.drover({"token", "add", "second", "--instances", "vphone-0001"});
    ASSERT_EQ(made.code(), 0);
    const auto token = made.out.substr(0, made.out.size() - 1);
    const std::string path = "/v1/instances/sync-command";
    const auto with_new = [&](const std::string& body) {
        return curl({"-H", "X-Auth-Token: " + token, "-H", "x-request-id: 1", "-d", body, serve.url() + path});
    };
    EXPECT_EQ(with_new(kTwo).status, 401);
    serve.process().signal(SIGHUP);
    ASSERT_TRUE(serve.process().wait_for_error_line("reading tokens"));
    auto answer = with_new(R"({"command":"true","instance_ids":["vphone-0001"]})");
    const auto until = std::chrono::steady_clock::now() + kWaitMax;
    while (answer.status == 401 && std::chrono::steady_clock::now() < until)
        answer = with_new(R"({"command":"true","instance_ids":["vphone-0001"]})");
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(text_of(with_new(kTwo).json().at("error_code")), "KOOPHONE.API.1001")
        << "a phone of another tenant was given away";
}

TEST_F(Api, ATokenIsNotAddedForWhatIsNoSelector) {
    const auto refused = home.drover({"token", "add", "broken", "--instances", "(("});
    EXPECT_EQ(refused.code(), 2);
    EXPECT_EQ(refused.out, "");
    EXPECT_EQ(refused.err.rfind("drover: selector '((', column 3: ", 0), 0U) << refused.err;
    EXPECT_EQ(home.drover({"token", "list"}).out.find("broken"), std::string::npos);
}

TEST_F(Api, ATenantWhoseSelectorIsWrongHasNoPhonesAndTheOthersGoOn) {
    const auto broken = home.drover({"token", "add", "broken", "--instances", "@nowhere"});
    ASSERT_EQ(broken.code(), 0) << broken.err;
    const auto check = home.drover({"serve", "--inventory", sim_->inventory(), "--check-config"});
    EXPECT_EQ(check.code(), 2);
    EXPECT_NE(check.err.find("instances of tenant broken"), std::string::npos) << check.err;
    serve.process().signal(SIGHUP);
    ASSERT_TRUE(serve.process().wait_for_error_line("tenant broken has no phones"));
    const auto ask = [&](const std::string& token) {
        return curl({"-H", "X-Auth-Token: " + token, "-H", "x-request-id: 1", "-d",
                     R"({"command":"true","instance_ids":["vphone-0001"]})",
                     serve.url() + "/v1/instances/sync-command"});
    };
    EXPECT_EQ(ask(home.token()).status, 200);
    auto answer = ask(broken.out.substr(0, broken.out.size() - 1));
    const auto until = std::chrono::steady_clock::now() + kWaitMax;
    while (answer.status == 401 && std::chrono::steady_clock::now() < until)
        answer = ask(broken.out.substr(0, broken.out.size() - 1));
    EXPECT_EQ(text_of(answer.json().at("error_code")), "KOOPHONE.API.1001");
}

TEST(ServeConfig, CheckConfigSaysWhatIsWrong) {
    const ServeHome home;
    const auto good =
        home.drover({"serve", "--config", std::string(DROVER_SOURCE_DIR) + "/config/drover.yaml", "--check-config"});
    EXPECT_EQ(good.code(), 0) << good.err;
    EXPECT_EQ(good.out, "config: ok\n");
    const auto file = home.dir().write("bad.yaml", "version: 1\napi:\n  listn: ['127.0.0.1:1']\n");
    const auto bad = home.drover({"serve", "--config", file.string(), "--check-config"});
    EXPECT_EQ(bad.code(), 2);
    EXPECT_NE(bad.err.find("bad.yaml:3:3"), std::string::npos) << bad.err;
    EXPECT_NE(bad.err.find("listen"), std::string::npos) << bad.err;
    const auto tokens = home.dir() / ".local" / "state" / "drover" / "tokens.yaml";
    auto known = read_file(tokens);
    ASSERT_NE(known.find("all"), std::string::npos) << known;
    std::ofstream(tokens) << known.replace(known.find("all"), 3, "'(('");
    const auto selector = home.drover({"serve", "--check-config"});
    EXPECT_EQ(selector.code(), 2);
    EXPECT_NE(selector.err.find("instances of tenant ci: selector '(('"), std::string::npos) << selector.err;
    const auto open = home.drover({"serve", "--listen", "0.0.0.0:0"});
    EXPECT_EQ(open.code(), 2);
    EXPECT_NE(open.err.find("insecure: true"), std::string::npos) << open.err;
}

}  // namespace
}  // namespace drover::test
