// What a controller's commands do, from its queue to the report.
#include "integration/agent_ends.hpp"

namespace drover::test {
namespace {

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
    const auto audit = read_file(dir / "audit.log");
    EXPECT_NE(audit.find("\"command\":\"START of task nightly\",\"instances\":[\"vphone-000"), std::string::npos)
        << audit;
    EXPECT_NE(audit.find("\"outcome\":\"fail: no job file is configured here for this task_id\""), std::string::npos);
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
    EXPECT_EQ(result_of(send("SYNC", "half")), "success: 1 phone ended well");
    EXPECT_EQ(runs("half"), once);
}

TEST_F(AgentEnds, SyncOfSoManyPhonesTakesTheOneThatFailedFirst) {
    dir.write("two.yaml",
              "version: 1\nname: two\non: {select: all, count: 2}\nsteps:\n  - name: two\n    run: test {{ instance }} "
              "!= vphone-0002 -o -e fixed && echo run >> two\n");
    jobs += "    two: two.yaml\n";
    // Until its phones have booted.
    const auto once_idle = [&](const std::string& name) {
        std::string result;
        do result = result_of(send(name, "two"));
        while (result.find("idle phone") != std::string::npos && !HasFailure());
        return result;
    };
    const auto whole = read_file(sim.inventory());
    auto later = whole;
    const auto first = later.find("  - {id: vphone-0001");
    later.erase(first, later.find("  - {id: vphone-0002") - first);
    start_agent(dir.write("inventory.yaml", later).string());
    EXPECT_EQ(once_idle("START"), "fail: 1 of 2 phones failed");
    EXPECT_EQ(runs("two"), (std::vector<std::size_t>{0, 0, 1}));
    EXPECT_EQ(run_drover({"exec", "--inventory", sim.inventory(), "--", "touch fixed"}, home.env()).code(), 0);
    kill_agent();
    start_agent();
    EXPECT_EQ(once_idle("SYNC"), "success: 1 phone ended well");
    EXPECT_EQ(runs("two"), (std::vector<std::size_t>{0, 1, 1})) << "two are wanted, and no other two";
    EXPECT_EQ(once_idle("SYNC"), "success: nothing to do: all 2 phones ended well before");
}

// The agent is killed as soon as it has said that it has come so far.

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

TEST_F(AgentEnds, AChangedInventoryIsReadAgainBySignalOrWithout) {
    add_job("t1");
    const auto whole = read_file(sim.inventory());
    const auto one = whole.substr(0, whole.find("  - {id: vphone-0002"));
    start_agent(dir.write("inventory.yaml", one).string());
    EXPECT_EQ(result_of(send("START", "t1")), "success: 1 phone ended well");
    const auto expect_soon = [&](const std::string& wanted) {
        std::string result;  // of the first command that comes after the change, whichever that is
        const auto until = std::chrono::steady_clock::now() + kWaitMax;
        while (result != wanted && std::chrono::steady_clock::now() < until) result = result_of(send("START", "t1"));
        EXPECT_EQ(result, wanted);
    };
    dir.write("inventory.yaml", whole);
    expect_soon("success: 3 phones ended well");
    dir.write("inventory.yaml", one);
    agent->signal(SIGHUP);
    expect_soon("success: 1 phone ended well");
}

TEST_F(AgentEnds, ServeTakesCommandsTooWhenItsConfigurationSaysSo) {
    add_job("t1");
    const auto config = write_config("  token_file: token\n", "unix:" + home.socket());
    auto env = home.env();
    env["XDG_RUNTIME_DIR"] = dir.path().string();
    agent = std::make_unique<Process>(
        drover_command({"serve", "--config", config, "--inventory", sim.inventory(), "--listen", "127.0.0.1:0"}, env));
    EXPECT_EQ(result_of(send("START", "t1")), "success: 3 phones ended well");
    const auto metrics = curl({"--unix-socket", (dir / "drover.sock").string(), "http://localhost/metrics"}).body;
    EXPECT_NE(metrics.find("drover_rows_total{code=\"ok\",class=\"\"} 3\n"), std::string::npos) << metrics;
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
