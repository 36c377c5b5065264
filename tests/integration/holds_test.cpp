// Runs through a `drover serve` have their phones for themselves: two never share one, whoever else asks is told who has it, and
// what a run held is free when it has ended, however it did.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <csignal>

#include "support/openapi.hpp"
#include "support/serve.hpp"
#include "where.hpp"

namespace drover::test {
namespace {

using testing::HasSubstr;
using testing::Not;

class Holds : public testing::Test {
protected:
    static void SetUpTestSuite() { sim_ = std::make_unique<SimProcess>(3); }
    static void TearDownTestSuite() { sim_.reset(); }
    void SetUp() override { ASSERT_EQ(home.drover({"wait", "all"}).code(), 0); }

    using Args = std::vector<std::string>;
    std::string job(const std::string& name, const std::string& head, const std::string& line) const {
        return home.dir()
            .write(name, "version: 1\nname: nightly\n" + head + "steps:\n  - run: '" + line + "'\n")
            .string();
    }
    std::string long_job() const { return job("long.yaml", "", "sleep 300"); }
    Process start(Args args) { return Process(drover_command(std::move(args), home.env())); }
    // A run that has these phones. One in each test.
    std::unique_ptr<Process> hold(const std::string& on) {
        Args args{"run", long_job(), "--on", on, "--timeout", "300s", "--output", "json"};
        auto run = std::make_unique<Process>(drover_command(std::move(args), home.env()));
        EXPECT_TRUE(serve.process().wait_for_error_line("status=200 method=POST call=run")) << serve.process().err();
        return run;
    }
    Finished exec(const std::string& on, Args more = {}) {
        Args args{"exec", "--on", on, "--output", "json"};
        args.insert(args.end(), more.begin(), more.end());
        args.insert(args.end(), {"--", "echo hello"});
        return home.drover(std::move(args));
    }
    std::string metric(const std::string& name) {
        const auto text = call(home, serve, "/metrics").body;
        const auto at = text.find("\n" + name + " ");
        return at == std::string::npos ? "" : text.substr(at + 1, text.find('\n', at + 1) - at - 1);
    }

    static std::unique_ptr<SimProcess> sim_;
    ServeHome home;
    ServeProcess serve{home, sim_->inventory()};
};
std::unique_ptr<SimProcess> Holds::sim_;

TEST_F(Holds, WhoAsksForAHeldPhoneIsToldWhoHasIt) {
    auto run = hold("vphone-0001");
    const auto told = exec("vphone-0001,vphone-0002");
    EXPECT_EQ(told.code(), 22) << told.out;
    EXPECT_THAT(told.out,
                HasSubstr("\"error_code\":\"DROVER.5003\",\"error_msg\":\"The phone is held by another run: held by "));
    EXPECT_THAT(told.out, HasSubstr("(job nightly)"));
    EXPECT_THAT(told.out, HasSubstr("hello")) << "the other one ran";
    const auto shared = exec("vphone-0001", {"--shared"});
    EXPECT_EQ(shared.code(), 0) << shared.out;
    EXPECT_THAT(shared.out, HasSubstr("hello"));
    // A second run gets the phones that are left.
    const auto quick = job("quick.yaml", "", "echo quick");
    const auto second = home.drover({"run", quick, "--output", "json"});
    EXPECT_EQ(second.code(), 22) << second.out;
    EXPECT_THAT(second.out, testing::ContainsRegex("vphone-0001\"[^}]*DROVER.5003[^}]*\"attempts\":0"));
    EXPECT_THAT(second.out, testing::ContainsRegex("vphone-0003\",\"status\":2"));
    const auto none = home.drover({"run", quick, "--on", "vphone-0001", "--output", "json"});
    EXPECT_EQ(none.code(), 22) << none.out;
    // People see it, too.
    EXPECT_THAT(home.drover({"status"}).out, testing::ContainsRegex("vphone-0001 .*held by [0-9a-f]+ since "));
    EXPECT_THAT(home.drover({"devices", "--json"}).out, HasSubstr("\"held_by\":\"held by "));
    EXPECT_EQ(metric("drover_phones_held"), "drover_phones_held 1");
    run->signal(SIGTERM);
    ASSERT_TRUE(serve.process().wait_for_error_line("stream ended call=run"));
    EXPECT_EQ(exec("vphone-0001").code(), 0);
    EXPECT_EQ(metric("drover_phones_held"), "drover_phones_held 0");
    EXPECT_THAT(home.drover({"status"}).out, Not(HasSubstr("held by")));
}

TEST_F(Holds, AWatchTellsWhoHoldsAPhoneAndThatItIsFree) {
    auto watch = start({"status", "--watch", "vphone-0001"});
    ASSERT_TRUE(watch.wait_for_line(" vphone-0001: 2 running")) << watch.err();
    auto run = hold("vphone-0001");
    EXPECT_TRUE(watch.wait_for_line("held by ")) << watch.out();
    auto second = start({"status", "--watch", "vphone-0001", "--json"});
    EXPECT_TRUE(second.wait_for_line("\"held_by\":\"held by ")) << second.out();
    run->signal(SIGTERM);
    EXPECT_TRUE(second.wait_for_line("\"held_by\":\"\"")) << second.out();
}

TEST_F(Holds, TheDocumentedCallsSayItInTheirWords) {
    auto run = hold("vphone-0001");
    const OpenApi documented(std::string(DROVER_SOURCE_DIR) + "/config/openapi.yaml");
    const std::string body = R"({"command":"id","instance_ids":["vphone-0001","vphone-0002"]})";
    const auto sync = call(home, serve, "/v1/instances/sync-command", body);
    EXPECT_EQ(documented.check("/v1/instances/sync-command", "post", sync.status, sync.json()), "") << sync.body;
    EXPECT_THAT(sync.body, HasSubstr(R"("status":-1,"error_code":"CPS.0005","error_msg":"Phone is not found.")"));
    EXPECT_THAT(sync.body,
                HasSubstr(R"("drover_code":"DROVER.5003","drover_msg":"The phone is held by another run: held by )"));
    EXPECT_THAT(sync.body, HasSubstr(R"("vphone-0002","status":2)"));
    const auto async = call(home, serve, "/v1/instances/async-command", body);
    ASSERT_EQ(async.status, 200) << async.body;
    const auto task = std::string(async.json().at("data").at("task_id").as_string().c_str());
    EXPECT_NE(home.drover({"task", "wait", task}).code(), 0);
    const auto jobs = call(home, serve, "/v1/instances/tasks/" + task).body;
    EXPECT_THAT(jobs, HasSubstr("DROVER.5003"));
    EXPECT_THAT(jobs, HasSubstr(R"("status":2)"));
}

TEST_F(Holds, AKilledRunFreesItsPhones) {
    auto run = hold("all");
    ASSERT_EQ(exec("vphone-0002").code(), 22);
    run->signal(SIGKILL);
    ASSERT_TRUE(serve.process().wait_for_error_line("call=run outcome=0 ok, 3 failed")) << serve.process().err();
    EXPECT_EQ(exec("all").code(), 0);
}

TEST_F(Holds, TwoRunsNeverShareAPhone) {
    // Whoever finds the other's mark on a phone fails with 9.
    const auto line =
        job("apart.yaml", "", "mkdir /data/local/tmp/mark || exit 9; sleep 0.2; rmdir /data/local/tmp/mark");
    std::vector<std::unique_ptr<Process>> runs;
    for (int i = 0; i < 4; ++i)
        runs.push_back(std::make_unique<Process>(
            drover_command({"run", line, "--timeout", "60s", "--output", "jsonl"}, home.env())));
    std::size_t ran = 0;
    for (auto& run : runs) {
        ASSERT_TRUE(run->wait());
        EXPECT_THAT(run->out(), Not(HasSubstr("\"exit_code\":9"))) << run->out();
        EXPECT_EQ(std::count(run->out().begin(), run->out().end(), '\n'), 3) << run->out();
        for (auto at = run->out().find("\"status\":2,\"error"); at != std::string::npos;
             at = run->out().find("\"status\":2,\"error", at + 1))
            ++ran;
    }
    EXPECT_GE(ran, 3u);
}

// As many phones as a job asks for, whichever are idle.
TEST_F(Holds, ACountPicksIdlePhones) {
    auto run = hold("vphone-0001");
    const auto two = job("two.yaml", "on: {select: all, count: 2}\n", "echo two");
    const auto done = home.drover({"run", two, "--output", "json"});
    EXPECT_EQ(done.code(), 0) << done.err;
    EXPECT_THAT(done.out, Not(HasSubstr("vphone-0001")));
    EXPECT_THAT(done.out, HasSubstr("vphone-0003\",\"status\":2"));
    const auto any = home.drover({"run", job("any.yaml", "on: {any: 'vphone-*'}\n", "echo any"), "--output", "jsonl"});
    EXPECT_EQ(any.code(), 0) << any.err;
    EXPECT_THAT(any.out, testing::StartsWith("{\"instance_id\":\"vphone-0002\",\"status\":2"));
    EXPECT_EQ(std::count(any.out.begin(), any.out.end(), '\n'), 1) << any.out;
    // The command line says it too, and instead of the file.
    const auto one = home.drover({"run", two, "--on", "vphone-0003", "--output", "jsonl"});
    EXPECT_EQ(std::count(one.out.begin(), one.out.end(), '\n'), 1) << one.out;
    EXPECT_EQ(home.drover({"run", two, "--count", "1", "--on", "all", "--output", "jsonl"}).code(), 0);
}

TEST_F(Holds, TooFewIdlePhonesAreExitCode22AndNothingIsSent) {
    auto run = hold("vphone-0001,vphone-0002");
    const auto two = job("two.yaml", "on: {select: all, count: 2, wait: 300ms}\n", "touch /data/local/tmp/sent");
    const auto late = home.drover({"run", two, "--output", "json"});
    EXPECT_EQ(late.code(), 22) << late.err;
    EXPECT_EQ(late.out, "");
    EXPECT_THAT(late.err,
                HasSubstr("drover: waiting up to 300ms: 2 phones are wanted; of 3, 2 are held and 0 not running"));
    EXPECT_EQ(home.drover({"run", two, "--count", "4"}).code(), 18);
    // All that a selector names, once nobody holds them.
    EXPECT_EQ(home.drover({"run", two, "--on", "all", "--wait", "300ms"}).code(), 22);
    EXPECT_EQ(exec("all", {"--shared"}).code(), 0);
    const auto sent = home.drover({"exec", "--shared", "--output", "json", "--", "ls /data/local/tmp/sent"});
    EXPECT_THAT(sent.out, Not(HasSubstr("\"status\":2")));
}

TEST_F(Holds, WhoWaitsGetsThePhonesWhenTheyAreFree) {
    auto run = hold("all");
    auto waiting =
        start({"run", job("next.yaml", "on: {select: all, count: 3, wait: 10m}\n", "echo next"), "--output", "json"});
    ASSERT_TRUE(waiting.wait_for_error_line("waiting up to 10m: 3 phones are wanted; of 3, 3 are held"))
        << waiting.err();
    // One that is told to stop waits no longer.
    auto stopped = start({"run", long_job(), "--wait", "10m"});
    ASSERT_TRUE(stopped.wait_for_error_line("waiting up to 10m"));
    stopped.signal(SIGTERM);
    const auto left = stopped.wait();
    ASSERT_TRUE(left);
    EXPECT_EQ(left->code, 143);
    run->signal(SIGKILL);
    const auto ended = waiting.wait();
    ASSERT_TRUE(ended);
    EXPECT_EQ(ended->code, 0) << waiting.out();
    EXPECT_EQ(exec("all").code(), 0);
}

TEST_F(Holds, AHoldThatNoRunTakesUpEnds) {
    const OpenApi documented(std::string(DROVER_SOURCE_DIR) + "/config/openapi.yaml");
    const auto ask = [&](const std::string& path, const std::string& body, int status) {
        auto answer = call(home, serve, path, body);
        EXPECT_EQ(answer.status, status) << answer.body;
        EXPECT_EQ(documented.check(path, "post", answer.status, answer.json()), "") << answer.body;
        return answer.body;
    };
    const auto held = ask("/drover/v1/hold", R"({"on":"all","count":2})", 200);
    EXPECT_THAT(held, HasSubstr(R"("instance_ids":["vphone-0001","vphone-0002"])"));
    EXPECT_THAT(ask("/drover/v1/hold", R"({"on":"all","count":2})", 400), HasSubstr("DROVER.5006"));
    EXPECT_THAT(ask("/drover/v1/hold", R"({"on":"all","count":4})", 400), HasSubstr("DROVER.6009"));
    EXPECT_THAT(ask("/drover/v1/hold", R"({"on":"nobody"})", 400), HasSubstr("DROVER.6008"));
    EXPECT_THAT(ask("/drover/v1/run", R"({"on":"all","hold":"nothing","job":"version: 1\nsteps: [{run: id}]\n"})", 400),
                HasSubstr("DROVER.5006"));
    const auto id = boost::json::parse(held).at("data").at("hold").as_string();
    const auto run = curl(
        {"--unix-socket", home.socket(), "-d",
         R"({"on":"vphone-0001","hold":")" + std::string(id.c_str()) + R"(","job":"version: 1\nsteps: [{run: id}]\n"})",
         "http://localhost/drover/v1/run"});
    EXPECT_EQ(run.status, 400) << "the hold of another tenant";
    const auto mine = call(
        home, serve, "/drover/v1/run",
        R"({"on":"vphone-0001","hold":")" + std::string(id.c_str()) + R"(","job":"version: 1\nsteps: [{run: id}]\n"})");
    EXPECT_THAT(mine.body, HasSubstr("\"rows\":1,\"ok\":1"));
    EXPECT_EQ(metric("drover_phones_held"), "drover_phones_held 0") << "all of the hold ends with its run";
    // A run that comes to nothing before it began leaves none either.
    home.dir().write("file", "");
    const auto nothing = home.drover(
        {"run", job("one.yaml", "on: {any: all}\n", "id"), "--out-dir", (home.dir() / "file" / "below").string()});
    EXPECT_NE(nothing.code(), 0);
    EXPECT_EQ(metric("drover_phones_held"), "drover_phones_held 0");
}

// An agent's job on the same host leaves alone what a run has.
TEST_F(Holds, AnAgentsJobLeavesHeldPhonesAlone) {
    const ServeHome control, host;
    ServeProcess controller(control, sim_->inventory());
    ASSERT_EQ(control.drover({"source", "add", "rack"}).code(), 0);
    host.dir().write("token", control.token() + "\n");
    ASSERT_EQ(::chmod((host.dir() / "token").c_str(), 0600), 0);
    host.dir().write("nightly.yaml", "version: 1\nsteps: [{run: echo ran}]\n");
    host.dir().write("three.yaml", "version: 1\non: {select: all, count: 3}\nsteps: [{run: echo ran}]\n");
    const auto config = host.dir().write("agent.yaml", "version: 1\nagent:\n  controller: 'unix:" + control.socket() +
                                                           "'\n  server_id: rack\n  token_file: token\n  poll: 100ms\n"
                                                           "  jobs: {nightly: nightly.yaml, three: three.yaml}\n");
    ServeProcess owner(host, sim_->inventory(), {"--config", config.string()});
    ASSERT_EQ(host.drover({"wait", "all"}).code(), 0);
    Process run(drover_command({"run", long_job(), "--on", "vphone-0001", "--timeout", "300s"}, host.env()));
    ASSERT_TRUE(owner.process().wait_for_error_line("status=200 method=POST call=run"));
    ASSERT_EQ(control.drover({"source", "send", "rack", "START", "--task", "three"}).code(), 0);
    ASSERT_EQ(control.drover({"source", "send", "rack", "START", "--task", "nightly"}).code(), 0);
    const auto results = [&] { return control.drover({"source", "results", "rack", "--json"}).out; };
    const auto until = std::chrono::steady_clock::now() + kWaitMax;
    auto told = results();
    while (told.find("1 of 3 phones failed") == std::string::npos && std::chrono::steady_clock::now() < until)
        told = results();
    EXPECT_THAT(told, HasSubstr("1 of 3 phones failed"));
    EXPECT_THAT(told, HasSubstr("held by "));
    EXPECT_THAT(told, HasSubstr("the job wants 3 idle phones, and there are 2"));
}

// Without a server nobody holds phones; how many are wanted is the job's all the same.
TEST(CountWithoutServer, PicksPhonesThatRun) {
    const SimProcess sim(3);
    const TempDir dir;
    const EnvChanges env{{"XDG_STATE_HOME", dir.path().string()}};
    const auto two =
        dir.write("two.yaml", "version: 1\non: {select: all, count: 2}\nsteps: [{run: echo two}]\n").string();
    const auto done = run_drover({"run", two, "--inventory", sim.inventory(), "--output", "jsonl"}, env);
    EXPECT_EQ(done.code(), 0) << done.err;
    EXPECT_EQ(std::count(done.out.begin(), done.out.end(), '\n'), 2) << done.out;
    const auto plan = run_drover({"plan", two, "--inventory", sim.inventory()}, env);
    EXPECT_THAT(plan.out, HasSubstr("on 2 of them, whichever are idle\n"));
    const auto many = run_drover({"run", two, "--count", "4", "--inventory", sim.inventory()}, env);
    EXPECT_EQ(many.code(), 18) << many.err;
    EXPECT_THAT(many.err, HasSubstr("drover: 4 phones are wanted, 3 match"));
    const auto dead = dir.write("dead.yaml", "version: 1\ninstances: [{id: dead, address: '127.0.0.1:1'}]\n").string();
    const auto late =
        run_drover({"run", two, "--count", "1", "--wait", "300ms", "--on", "all", "--inventory", dead}, env);
    EXPECT_EQ(late.code(), 22) << late.err;
    EXPECT_THAT(late.err, HasSubstr("drover: 1 phone is wanted; of 1, 0 were running in time"));
    EXPECT_EQ(late.out, "");
    EXPECT_EQ(run_drover({"run", "--resume", "x", "--count", "1"}, env).code(), 2);
}

}  // namespace
}  // namespace drover::test
