#include <boost/json/serialize.hpp>

#include "http/signature.hpp"
#include "service_fixture.hpp"
#include "support/temp_dir.hpp"

namespace drover::http {
namespace {

using namespace std::chrono_literals;

using ServiceCalls = ServiceTest;

TEST_F(ServiceCalls, AnAsyncTaskIsAcceptedAndCanBeAskedFor) {
    phones.hold = true;
    const auto accepted = parse(async(std::string(kSeedBody)));
    EXPECT_EQ(text(accepted.at("error_code")), "0");
    const auto& jobs = accepted.at("data").at("cmd_jobs").as_array();
    ASSERT_EQ(jobs.size(), 2U);
    EXPECT_EQ(text(jobs[0].at("instance_id")), "a44uhlf7");
    EXPECT_EQ(text(jobs[1].at("job_id")).size(), 32U);
    phones.wait_opened(2);
    const auto target = "/v1/instances/tasks/" + text(accepted.at("data").at("task_id"));
    auto seen = parse(ask(get(target))).at("data").at("jobs").as_array();
    ASSERT_EQ(seen.size(), 2U);
    EXPECT_EQ(seen[0].at("status"), 1);
    EXPECT_EQ(text(seen[0].at("error_code")), "");
    EXPECT_EQ(text(seen[0].at("execute_msg")), "");
    phones.release();
    runner.stop(10s);
    seen = parse(ask(get(target))).at("data").at("jobs").as_array();
    EXPECT_EQ(seen[0].at("status"), 2);
    EXPECT_EQ(text(seen[0].at("execute_msg")), "out of a44uhlf7");
    EXPECT_EQ(seen[0].at("job_id"), jobs[0].at("job_id"));
}

TEST_F(ServiceCalls, AHeldPhoneIsSentNothingAndItsItemSaysByWhom) {
    const std::vector<std::string> held{"efjy72gs"};
    phones.holds().take({"r1", "somebody", "nightly"}, held, {});
    const auto answer = parse(sync(std::string(kSeedBody)));
    const auto& results = answer.at("data").at("cmd_results").as_array();
    EXPECT_EQ(results[0].at("status"), 2);
    EXPECT_EQ(results[1].at("status"), -1);
    EXPECT_EQ(text(results[1].at("error_code")), "CPS.0005");
    EXPECT_EQ(text(results[1].at("drover_code")), "DROVER.5003");
    EXPECT_TRUE(text(results[1].at("drover_msg")).starts_with("The phone is held by another run: held by r1 since "));
    EXPECT_EQ(phones.opened(), std::vector<std::string>{"a44uhlf7 ls -l /system"});
    // A task's job is judged when its turn has come.
    const auto task = parse(async(std::string(kSeedBody)));
    runner.stop(10s);
    const auto jobs =
        parse(ask(get("/v1/instances/tasks/" + text(task.at("data").at("task_id"))))).at("data").at("jobs").as_array();
    EXPECT_EQ(text(jobs[1].at("drover_code")), "DROVER.5003");
    EXPECT_EQ(jobs[0].at("status"), 2);
    const auto scraped = ask(get("/metrics")).body;
    EXPECT_NE(scraped.find("\ndrover_phones_held 1\n"), std::string::npos);
}

TEST_F(ServiceCalls, ASignedClientNeedsNoRequestId) {
    auto r = post("/v1/instances/sync-command", std::string(kSeedBody));
    const auto now = std::chrono::time_point_cast<std::chrono::seconds>(std::chrono::system_clock::now());
    auto date = utc_text(now);
    std::erase_if(date, [](char c) { return c == '-' || c == ':'; });
    r.headers = {{"Host", "x"},
                 {"X-Sdk-Date", date},
                 {"Accept-Encoding", "gzip"},
                 {"Content-Type", "application/json; charset=utf-8"}};
    const auto signature = signature_of(*canonical_request(r, {"host", "x-sdk-date"}), date, "SK");
    r.headers.push_back(
        {"Authorization", "SDK-HMAC-SHA256 Access=AK, SignedHeaders=host;x-sdk-date, Signature=" + to_hex(signature)});
    const auto answer = ask(r);
    EXPECT_EQ(answer.status, 200) << answer.body;
    EXPECT_EQ(answer.header("X-Request-Id")->size(), 32U);
    r.body += " ";
    EXPECT_EQ(ask(r).status, 401);
}

TEST_F(ServiceCalls, StoppingEndsASyncCommandWithItsRows) {
    phones.hold = true;
    std::promise<net::Response> answered;
    service->handle(post("/v1/instances/sync-command", std::string(kSeedBody)),
                    net::Reply([&](net::Response r) { answered.set_value(std::move(r)); }));
    phones.wait_opened(2);
    service->stop_calls();
    const auto rows = parse(answered.get_future().get()).at("data").at("cmd_results").as_array();
    EXPECT_EQ(text(rows.at(1).at("drover_code")), info(Code::interrupted).name);
}

TEST_F(ServiceCalls, WhoGuessesOnDoesNotFillTheAuditLog) {
    auto bad = get("/drover/v1/tasks");
    bad.headers = {{"X-Auth-Token", "guess"}};
    Throttle throttle;
    unsigned slow = 0;  // failures that are audited
    while (throttle.failed("p", Throttle::Clock::now()) < Throttle::kMost) ++slow;
    // Answers that are held back go with the service.
    for (int i = 0; i < 100; ++i) service->handle(bad, net::Reply([](net::Response) {}));
    service.reset();
    audit.reset();
    const auto text = test::read_file(dir / "audit.log");
    EXPECT_LE(std::count(text.begin(), text.end(), '\n'), slow);
    EXPECT_GE(std::count(text.begin(), text.end(), '\n'), Throttle::kFreeFailures);
}

TEST_F(ServiceCalls, FailedAttemptsAreSlowedGoodOnesAreNot) {
    auto bad = get("/drover/v1/tasks");
    bad.headers = {{"X-Auth-Token", "guess"}};
    for (unsigned i = 0; i < Throttle::kFreeFailures; ++i) EXPECT_EQ(ask(bad).status, 401);
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(ask(bad).status, 401);
    EXPECT_GE(std::chrono::steady_clock::now() - begin, Throttle::kFirst);
    EXPECT_EQ(ask(get("/drover/v1/tasks")).status, 200);
}

TEST(ThrottleTest, DoublesUpToItsMostAndForgets) {
    Throttle throttle;
    const auto t = Throttle::Clock::now();
    for (unsigned i = 0; i < Throttle::kFreeFailures; ++i) EXPECT_EQ(throttle.failed("p", t), Millis(0));
    EXPECT_EQ(throttle.failed("p", t), Millis(100));
    EXPECT_EQ(throttle.failed("p", t), Millis(200));
    EXPECT_EQ(throttle.failed("other", t), Millis(0));
    for (int i = 0; i < 50; ++i) (void)throttle.failed("p", t);
    EXPECT_EQ(throttle.failed("p", t), Throttle::kMost);
    EXPECT_EQ(throttle.failed("p", t + 61s), Millis(0));
    for (std::size_t i = 0; i < Throttle::kPeersMax * 2; ++i) (void)throttle.failed(std::to_string(i), t);
    for (std::size_t i = 0; i < Throttle::kHeldMax; ++i) EXPECT_TRUE(throttle.hold());
    EXPECT_FALSE(throttle.hold());
    throttle.let_go();
    EXPECT_TRUE(throttle.hold());
}

TEST_F(ServiceCalls, HealthIsOpenMetricsAreNot) {
    net::Request r;
    r.method = "GET";
    r.peer = "10.0.0.1";
    r.target = "/healthz";
    EXPECT_EQ(ask(r).status, 200);
    r.target = "/readyz";
    EXPECT_EQ(ask(r).status, 200);
    service->set_ready(false);
    EXPECT_EQ(ask(r).status, 503);
    r.target = "/metrics";
    EXPECT_EQ(ask(r).status, 401);
    ASSERT_EQ(sync(std::string(kSeedBody)).status, 200);
    const auto text = ask(get("/metrics")).body;
    EXPECT_NE(text.find("drover_http_requests_total{call=\"sync-command\",status=\"200\"} 1\n"), std::string::npos)
        << text;
    EXPECT_NE(text.find("drover_rows_total{code=\"ok\",class=\"\"} 2\n"), std::string::npos);
    EXPECT_NE(text.find("drover_phones{status=\"1\"} 3\n"), std::string::npos);
    EXPECT_NE(text.find("drover_sync_seconds_count 1\n"), std::string::npos);
    EXPECT_NE(text.find("drover_auth_failures_total 1\n"), std::string::npos);
}

TEST_F(ServiceCalls, CancelOverTheApi) {
    phones.hold = true;
    const auto id = text(parse(async(std::string(kSeedBody))).at("data").at("task_id"));
    phones.wait_opened(2);
    EXPECT_EQ(ask(post("/drover/v1/tasks/" + id + "/cancel", "")).status, 200);
    runner.stop(10s);
    const auto data = parse(ask(get("/drover/v1/tasks/" + id))).at("data");
    EXPECT_TRUE(data.at("cancelled").as_bool());
    EXPECT_EQ(text(data.at("jobs").at(0).at("error_code")), info(Code::cancelled).name);
    EXPECT_EQ(text(data.at("jobs").at(0).at("state")), "ended");
}

TEST(AuditLogTest, WritesOneLinePerEntryAndReopens) {
    const test::TempDir dir;
    std::optional<AuditLog> audit(dir / "audit.log");
    AuditEntry entry;
    entry.tenant = "ci";
    entry.command = "ls \"x\"";
    entry.instances = {"a", "b"};
    audit->write(entry);
    std::filesystem::rename(dir / "audit.log", dir / "audit.log.1");
    audit->reopen();
    audit->write(entry);
    audit.reset();
    for (const char* name : {"audit.log", "audit.log.1"}) {
        const auto line = boost::json::parse(test::read_file(dir / name));
        EXPECT_EQ(text(line.at("command")), "ls \"x\"");
        EXPECT_EQ(line.at("instances").as_array().size(), 2U);
    }
}

TEST(CredentialsTest, TokensAreWrittenPrivatelyAndReadBack) {
    const test::TempDir dir;
    const auto file = dir / "tokens.yaml";
    EXPECT_TRUE(load_tokens(file)->empty()) << "a missing file is no tokens";
    ASSERT_TRUE(save_tokens(file, {{"ci", sha256("one"), "label:rack=r1"}, {"ops", sha256("two"), "all"}}));
    const auto loaded = load_tokens(file);
    ASSERT_TRUE(loaded) << loaded.error().message;
    ASSERT_EQ(loaded->size(), 2U);
    EXPECT_EQ((*loaded)[0].instances, "label:rack=r1");
    EXPECT_EQ((*loaded)[1].digest, sha256("two"));
    EXPECT_EQ(std::filesystem::status(file).permissions(), std::filesystem::perms(0600));
    std::filesystem::permissions(file, std::filesystem::perms(0644));
    ASSERT_FALSE(load_tokens(file));
    EXPECT_NE(load_tokens(file).error().message.find("chmod 600"), std::string::npos);
}

TEST(CredentialsTest, MistakesAreToldWithTheirPlace) {
    const test::TempDir dir;
    const auto file = dir.write("k.yaml", "version: 1\naccess_keys:\n  - {tenant: 'a b', access: AK, secret: S}\n");
    std::filesystem::permissions(file, std::filesystem::perms(0600));
    const auto loaded = load_access_keys(file);
    ASSERT_FALSE(loaded);
    EXPECT_NE(loaded.error().message.find("k.yaml:3:"), std::string::npos) << loaded.error().message;
}

}  // namespace
}  // namespace drover::http
