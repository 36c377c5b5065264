// Both ends of the agent's protocol at once: one drover is the controller, another the agent, on virtual phones.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <boost/json/serialize.hpp>
#include <random>

#include "net/http_client.hpp"
#include "support/rounds.hpp"
#include "support/serve.hpp"

namespace drover::test {
namespace {

constexpr int kAgentPhones = 3;

class AgentEnds : public ::testing::Test {
protected:
    AgentEnds() {
        control();
        EXPECT_EQ(home.drover({"source", "add", kId}).code(), 0);
        EXPECT_EQ(::mkdir((dir / "logs").c_str(), 0700), 0);
        dir.write("token", home.token() + "\n");
        EXPECT_EQ(::chmod((dir / "token").c_str(), 0600), 0);
        dir.write("long.yaml",
                  "version: 1\nname: long\nsteps:\n  - name: long\n    run: echo begun; sleep 600\n    timeout: 20m\n");
    }
    void control() {
        controller = std::make_unique<ServeProcess>(home, none, std::vector<std::string>{"--config", quiet});
    }
    // Kills the controller and starts it again over what it left.
    void kill_controller() {
        controller->process().signal(SIGKILL);
        ASSERT_TRUE(controller->process().wait());
        control();
    }
    void kill_agent() {
        agent->signal(SIGKILL);
        ASSERT_TRUE(agent->wait());
    }

    // A job that leaves one line more on each phone whenever it runs.
    void add_job(const std::string& task) {
        dir.write(task + ".yaml", "version: 1\nname: " + task + "\nsteps:\n  - name: count\n    run: echo run >> " +
                                      task + "; cat " + task + "\n");
        jobs += "    " + task + ": " + task + ".yaml\n";
    }
    std::string write_config(const std::string& who, const std::string& url) {
        return dir
            .write("agent.yaml", "version: 1\nstate_dir: state\nagent:\n  controller: '" + url + "'\n  server_id: " +
                                     kId + "\n" + who + "  poll: 100ms\n  retry: 50ms\n  retry_max: 500ms\n  jobs:\n" +
                                     jobs + "  buckets:\n    lab: {directory: logs, mode: '0755'}\n")
            .string();
    }
    void start_agent() {
        const auto config = write_config("  token_file: token\n", "unix:" + home.socket());
        agent = std::make_unique<Process>(
            drover_command({"agent", "--config", config, "--inventory", sim.inventory()}, home.env()));
        ASSERT_TRUE(agent->wait_for_line("ready: agent")) << agent->err();
    }

    std::int64_t send(const std::string& name, const std::string& task, const std::string& bucket = "") {
        std::vector<std::string> args{"source", "send", kId, name, "--json"};
        if (!task.empty()) args.insert(args.end(), {"--task", task});
        if (!bucket.empty()) args.insert(args.end(), {"--bucket", bucket});
        const auto sent = home.drover(args);
        EXPECT_EQ(sent.code(), 0) << sent.err;
        return boost::json::parse(sent.out).at("number").to_number<std::int64_t>();
    }
    boost::json::object command(std::int64_t number) {
        net::Request request;
        request.method = "GET";
        request.target = "/v3/sources/" + kId + "/commands";
        const auto answer = net::exchange(*net::parse_url("unix:" + home.socket()), request, {});
        EXPECT_TRUE(answer) << answer.error().message;
        if (!answer) return {};
        const auto data = boost::json::parse(answer->body).at("data");
        for (const auto& value : data.at("commands").as_array()) {
            if (value.at("number").to_number<std::int64_t>() == number) return value.as_object();
        }
        return {};
    }
    // Waits until the command is in this state.
    boost::json::object wait_for(std::int64_t number, const std::string& state) {
        const auto until = std::chrono::steady_clock::now() + kWaitMax;
        boost::json::object found;
        do {
            found = command(number);
            if (!found.empty() && found.at("state").as_string().c_str() == state) return found;
            // Reads the agent's log meanwhile, and leaves the processors to it.
            if (agent) (void)agent->wait_for_error_line("nothing says this", std::chrono::milliseconds(20));
        } while (std::chrono::steady_clock::now() < until && !HasFailure());
        ADD_FAILURE() << "command " << number << " does not become " << state << ": " << boost::json::serialize(found)
                      << (agent ? "\n" + agent->err() : "");
        return {};
    }
    // "success: MSG" or "fail: MSG"
    std::string result_of(std::int64_t number) {
        const auto done = wait_for(number, "done");
        if (done.empty()) return "";
        return std::string(done.at("result").as_string().c_str()) + ": " +
               done.at("result_detail").at("msg").as_string().c_str();
    }
    // How often the task's command ran on each phone.
    std::vector<std::size_t> runs(const std::string& task) {
        const auto said = run_drover({"exec", "--inventory", sim.inventory(), "--timeout", "60s", "--json", "--",
                                      "cat " + task + " 2>/dev/null || true"},
                                     home.env());
        std::vector<std::size_t> all;
        const auto rows = boost::json::parse(said.out).at("rows").as_array();
        for (const auto& row : rows) {
            const std::string text(row.at("execute_msg").as_string().c_str());
            all.push_back(static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')));
        }
        return all;
    }
    const std::vector<std::size_t> once = std::vector<std::size_t>(kAgentPhones, 1);

    const std::string kId = "rack-7";
    const TempDir dir;
    ServeHome home;
    const std::string quiet = home.dir().write("quiet.yaml", "version: 1\nlog: {level: error}\n").string();
    const std::string none = home.dir().write("none.yaml", "version: 1\ninstances: []\n").string();
    SimProcess sim{kAgentPhones};
    std::string jobs = "    long: long.yaml\n";
    std::unique_ptr<ServeProcess> controller;
    std::unique_ptr<Process> agent;
};

TEST_F(AgentEnds, EveryCommandFromSendToResult) {
    add_job("nightly");
    start_agent();
    EXPECT_EQ(result_of(send("START", "nightly")), "success: 3 phones ended well");
    EXPECT_EQ(runs("nightly"), once);
    EXPECT_EQ(result_of(send("SYNC", "nightly")), "success: nothing to do: all 3 phones ended well before");
    EXPECT_EQ(result_of(send("START", "nightly")), "success: 3 phones ended well");
    EXPECT_EQ(runs("nightly"), std::vector<std::size_t>(kAgentPhones, 2)) << "START again is a new command";

    const auto start = send("START", "long");
    ASSERT_TRUE(agent->wait_for_error_line("START of task long received"));
    const auto stop = send("STOP", "long");
    EXPECT_EQ(result_of(stop), "success: stopped");
    EXPECT_EQ(result_of(start).substr(0, 29), "fail: STOP of the controller;");
    EXPECT_EQ(result_of(send("STOP", "long")), "success: nothing was running");

    EXPECT_EQ(result_of(send("UPLOAD_LOG", "nightly", "lab")).substr(0, 17), "success: written:");
    const auto log = read_file(dir / "logs" / "nightly.log");
    EXPECT_NE(log.find("vphone-0002: ok\nrun\nrun\n"), std::string::npos) << log;
    EXPECT_EQ(result_of(send("RSET_LOG_ACL", "nightly", "lab")).substr(0, 8), "success:");
    struct stat info {};
    ASSERT_EQ(::stat((dir / "logs").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0755U);
    EXPECT_EQ(result_of(send("UPLOAD_LOG", "nightly", "../x")),
              "fail: no directory is configured here for this bucket");

    EXPECT_EQ(result_of(send("DELETE", "nightly")),
              "success: nothing was running; what was known of the task is forgotten");
    EXPECT_EQ(result_of(send("UPLOAD_LOG", "nightly", "lab")).substr(0, 5), "fail:") << "its log is gone";
    EXPECT_EQ(result_of(send("SYNC", "nightly")), "success: 3 phones ended well") << "its state is gone";
    EXPECT_EQ(result_of(send("SKIP", "nightly")), "fail: this command is not known here");
    EXPECT_EQ(result_of(send("START", "nobody")), "fail: no job file is configured here for this task_id");
    agent->signal(SIGTERM);
    EXPECT_EQ(agent->wait(), (ExitStatus{0, std::nullopt}));
}

TEST_F(AgentEnds, ACommandWithoutATaskEndsAndTheNextComes) {
    add_job("t1");
    start_agent();
    EXPECT_EQ(result_of(send("RSET_LOG_ACL", "", "lab")).substr(0, 8), "success:");
    EXPECT_EQ(result_of(send("START", "t1")), "success: 3 phones ended well");
}

TEST_F(AgentEnds, WhatRunsAtSigtermMayEndWell) {
    dir.write(
        "slow.yaml",
        "version: 1\nname: slow\ntimeout: 2m\nsteps:\n  - name: slow\n    run: echo run >> slow; while test ! -e go; "
        "do sleep 0.05; done\n");
    jobs += "    slow: slow.yaml\n";
    start_agent();
    const auto start = send("START", "slow");
    const auto until = std::chrono::steady_clock::now() + kWaitMax;
    while (runs("slow") != once && std::chrono::steady_clock::now() < until) {}
    agent->signal(SIGTERM);
    EXPECT_EQ(run_drover({"exec", "--inventory", sim.inventory(), "--", "touch go"}, home.env()).code(), 0);
    EXPECT_EQ(agent->wait(), (ExitStatus{0, std::nullopt}));
    start_agent();
    EXPECT_EQ(result_of(start), "success: 3 phones ended well");
}

TEST_F(AgentEnds, SyncRunsOnWhatFailedOnly) {
    // Fails on one phone until its file is there.
    dir.write(
        "half.yaml",
        "version: 1\nname: half\nsteps:\n  - name: half\n    run: test {{ instance }} != vphone-0002 -o -e fixed && "
        "echo run >> half\n");
    jobs += "    half: half.yaml\n";
    start_agent();
    const auto start = wait_for(send("START", "half"), "done");
    EXPECT_EQ(start.at("result"), "fail");
    EXPECT_EQ(start.at("result_detail").at("instances"), boost::json::parse(R"({"total":3,"ok":2,"failed":1})"));
    EXPECT_EQ(start.at("result_detail").at("first_failures").at(0).at("instance_id"), "vphone-0002");
    EXPECT_EQ(start.at("result_detail").at("task_id"), "half");
    EXPECT_EQ(run_drover({"exec", "--inventory", sim.inventory(), "--", "touch fixed"}, home.env()).code(), 0);
    EXPECT_EQ(result_of(send("SYNC", "half")), "success: 1 phones ended well");
    EXPECT_EQ(runs("half"), once);
}

// The agent is killed as soon as it has said that it has come so far.
class AgentKilled : public AgentEnds, public ::testing::WithParamInterface<const char*> {};

TEST_P(AgentKilled, NothingIsLostAndNothingRunsTwice) {
    add_job("t1");
    start_agent();
    const auto number = send("START", "t1");
    ASSERT_TRUE(agent->wait_for_error_line(std::string("START of task t1") + GetParam())) << agent->err();
    kill_agent();
    start_agent();
    const auto result = result_of(number);
    const auto counted = runs("t1");
    for (const auto n : counted) EXPECT_LE(n, 1U);
    if (result.substr(0, 8) == "success:") {
        EXPECT_EQ(counted, once);
    } else {
        EXPECT_EQ(result.substr(0, 17), "fail: interrupted");
    }
    // Those on which it had ended well are left alone; the others run once more at most, since SYNC asks for it.
    EXPECT_EQ(result_of(send("SYNC", "t1")).substr(0, 8), "success:");
    for (const auto n : runs("t1")) EXPECT_GE(n, 1U);
    if (result.substr(0, 8) == "success:") EXPECT_EQ(runs("t1"), once);
}

INSTANTIATE_TEST_SUITE_P(AtEachStep, AgentKilled, ::testing::Values(" received", " begins", ": success", ": reported"));

TEST_F(AgentEnds, AnAgentKilledDuringALongStartReportsItAndObeysStop) {
    start_agent();
    const auto start = send("START", "long");
    ASSERT_TRUE(agent->wait_for_error_line("START of task long begins"));
    kill_agent();
    const auto stop = send("STOP", "long");
    start_agent();
    EXPECT_EQ(result_of(start).substr(0, 17), "fail: interrupted");
    EXPECT_EQ(result_of(stop), "success: nothing was running");
}

// Kills of either side at any moment, from a seed.
TEST_F(AgentEnds, RandomKillsLoseNothingAndRunNothingTwice) {
    const unsigned all = rounds(4);
    for (unsigned i = 0; i < all; ++i) add_job(fmt::format("t{}", i));
    start_agent();
    std::minstd_rand random(all);
    for (unsigned i = 0; i < all; ++i) {
        const auto task = fmt::format("t{}", i);
        const auto number = send("START", task);
        for (int kills = 0; kills < 3; ++kills) {
            for (auto asked = random() % 12; asked > 0; --asked) (void)command(number);
            if (random() % 2 == 0) {
                kill_controller();
            } else {
                kill_agent();
                start_agent();
            }
        }
        const auto result = result_of(number);
        const auto counted = runs(task);
        if (result == "success: 3 phones ended well") {
            EXPECT_EQ(counted, once) << task;
        } else {
            EXPECT_EQ(result.substr(0, 17), "fail: interrupted") << result;
            for (const auto n : counted) EXPECT_LE(n, 1U) << task;
        }
    }
}

TEST_F(AgentEnds, AControllerKilledAtEachStepLosesNothing) {
    for (const std::string task : {"t1", "t2", "t3"}) add_job(task);
    start_agent();
    const auto first = send("START", "t1");
    kill_controller();  // waiting or delivered
    ASSERT_TRUE(agent->wait_for_error_line("START of task t1 received"));
    kill_controller();  // while it runs
    EXPECT_EQ(result_of(first), "success: 3 phones ended well");
    const auto second = send("START", "t2");
    ASSERT_TRUE(agent->wait_for_error_line("START of task t2: success"));
    kill_controller();  // before or after it has taken the result
    EXPECT_EQ(result_of(second), "success: 3 phones ended well");
    kill_controller();
    EXPECT_EQ(result_of(second), "success: 3 phones ended well") << "results are kept";
    EXPECT_EQ(result_of(send("START", "t3")), "success: 3 phones ended well");
    for (const std::string task : {"t1", "t2", "t3"}) EXPECT_EQ(runs(task), once) << task;
}

TEST_F(AgentEnds, SignsItsRequestsWithAnAccessKeyFromTheEnvironment) {
    const auto keys = home.dir() / ".local/state/drover/access_keys.yaml";
    home.dir().write(".local/state/drover/access_keys.yaml",
                     "version: 1\naccess_keys:\n  - {tenant: farm, access: AK, secret: SK, instances: all}\n");
    ASSERT_EQ(::chmod(keys.c_str(), 0600), 0);
    kill_controller();
    add_job("t1");
    auto env = home.env();
    env["DROVER_AGENT_ACCESS_KEY"] = "AK";
    env["DROVER_AGENT_SECRET_KEY"] = "SK";
    agent = std::make_unique<Process>(drover_command(
        {"agent", "--config", write_config("", controller->url()), "--inventory", sim.inventory()}, env));
    EXPECT_EQ(result_of(send("START", "t1")), "success: 3 phones ended well");
}

TEST_F(AgentEnds, ANewTokenInTheFileIsTakenWithoutARestart) {
    add_job("t1");
    dir.write("token", "wrong\n");
    start_agent();
    ASSERT_TRUE(agent->wait_for_error_line("HTTP 401"));
    dir.write("token", home.token());
    EXPECT_EQ(result_of(send("START", "t1")), "success: 3 phones ended well");
    EXPECT_EQ(agent->err().find(home.token()), std::string::npos) << "no secret in the log";
}

TEST_F(AgentEnds, ServeTakesCommandsTooWhenItsConfigurationSaysSo) {
    add_job("t1");
    const auto config = write_config("  token_file: token\n", "unix:" + home.socket());
    auto env = home.env();
    env["XDG_RUNTIME_DIR"] = dir.path().string();
    agent = std::make_unique<Process>(
        drover_command({"serve", "--config", config, "--inventory", sim.inventory(), "--listen", "127.0.0.1:0"}, env));
    EXPECT_EQ(result_of(send("START", "t1")), "success: 3 phones ended well");
    agent->signal(SIGTERM);
    EXPECT_EQ(agent->wait(), (ExitStatus{0, std::nullopt}));
}

TEST_F(AgentEnds, CheckConfigCoversTheAgent) {
    const auto check = [&](const std::string& who, const std::string& url) {
        return home.drover({"serve", "--config", write_config(who, url), "--check-config"});
    };
    EXPECT_EQ(check("  token_file: token\n", controller->url()).code(), 0);
    const auto clear = check("  token_file: token\n", "http://controller.example");
    EXPECT_EQ(clear.code(), 2);
    EXPECT_NE(clear.err.find("agent.yaml:4:15: agent.controller:"), std::string::npos) << clear.err;
    EXPECT_EQ(check("  token_file: nowhere\n", controller->url()).code(), 2);
    const auto both = check("  token_file: token\n  token: x\n", controller->url());
    EXPECT_NE(both.err.find("one of token"), std::string::npos) << both.err;
    const auto open = check("  token: x\n", controller->url());
    EXPECT_NE(open.err.find("chmod 600"), std::string::npos) << open.err;
    dir.write("long.yaml", "version: 1\nsteps: []\n");
    const auto job = check("  token_file: token\n", controller->url());
    EXPECT_EQ(job.code(), 2);
    EXPECT_NE(job.err.find("long.yaml:"), std::string::npos) << job.err;
    EXPECT_EQ(home.drover({"agent"}).code(), 2);
}

}  // namespace
}  // namespace drover::test
