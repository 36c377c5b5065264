// The command line through a running `drover serve`: the same rows, output and exit codes as with phones of its own.
#include "integration/through_serve.hpp"

#include <gmock/gmock.h>

#include <csignal>
#include <fstream>
#include <iterator>
#include <regex>

#include "support/openapi.hpp"
#include "where.hpp"

namespace drover::test {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string content(const std::filesystem::path& file) {
    std::ifstream stream(file);
    return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

TEST_F(ThroughServe, ExecGivesTheSameInEveryForm) {
    const std::string command =
        "case $(getprop ro.serialno) in *2) echo no >&2; exit 3;; *) echo yes; echo w >&2;; esac";
    for (const std::string form : {"fold", "json", "lines"}) {
        const auto done = same({"exec", "--output", form, "--max-parallel", "1", "--", command});
        EXPECT_EQ(done.code(), 10) << done.err;
        EXPECT_THAT(done.out + done.err, HasSubstr("yes"));
    }
    const auto cut =
        same({"exec", "--on", "vphone-0001", "--output", "jsonl", "--max-output", "10", "--", "seq 1 1000"});
    EXPECT_THAT(cut.out, HasSubstr("\"truncated\":true"));
}

TEST_F(ThroughServe, AJobGivesTheSameRowsWithItsSteps) {
    const auto job = home.dir()
                         .write("job.yaml",
                                "version: 1\nname: j\nvars: {word: hello}\nenv: {E: 'x y'}\nsteps:\n"
                                "  - {name: say, run: 'echo {{ word }} {{ instance }} \"$E\"'}\n"
                                "  - {name: odd, run: 'exit 3', continue-on-error: true}\n"
                                "  - {name: last, run: 'ls /nowhere'}\n")
                         .string();
    for (const std::string form : {"json", "fold"}) {
        const auto done = same({"run", job, "--output", form});
        EXPECT_EQ(done.code(), 10) << done.err;
        EXPECT_THAT(done.out, HasSubstr("hello"));
    }
    // What belongs to the client's own host is not done on the server's, whatever kinds of step there are.
    for (const std::string kind : {"push: {from: /etc/passwd, to: /x}", "pull: {from: /x, to: /etc}", "install: /x.apk",
                                   "uninstall: com.x", "screenshot: {to: /etc}", "bugreport: true",
                                   "logcat: {to: /etc}", "host-run: [reboot]", "uses: /etc/passwd"}) {
        const auto host = R"({"on":"all","file":"j.yaml","job":"version: 1\nname: j\nsteps:\n  - )" + kind + R"(\n"})";
        const auto refused = call(home, serve, "/drover/v1/run", host);
        EXPECT_EQ(refused.status, 400) << refused.body;
        EXPECT_THAT(refused.body, HasSubstr("j.yaml:4:5: a drover server does not do `" +
                                            kind.substr(0, kind.find(':')) + "` for its clients"));
    }
    for (const std::string key : {"artifacts: /etc", "notify: [{run: [reboot]}]"}) {
        const auto kept = call(home, serve, "/drover/v1/run",
                               R"({"on":"all","job":"version: 1\n)" + key + R"(\nsteps:\n  - run: echo hi\n"})");
        EXPECT_EQ(kept.status, 400) << kept.body;
        EXPECT_THAT(kept.body,
                    HasSubstr("a drover server does not do `" + key.substr(0, key.find(':')) + "` for its clients"));
    }
    // The command line says so before anything is sent.
    const auto files = home.dir().write("files.yaml", "version: 1\nsteps:\n  - screenshot: {to: x}\n").string();
    const auto told = home.drover({"run", files});
    EXPECT_EQ(told.code(), 2) << told.err;
    EXPECT_THAT(told.err, HasSubstr("a drover server does not do `screenshot` for its clients; run this job directly"));
    EXPECT_EQ(call(home, serve, "/drover/v1/run", R"({"on":"all","job":"version: 2"})").status, 400);
}

TEST_F(ThroughServe, TheClientNotifies) {
    const auto told = (home.dir() / "told").string();
    const auto job = home.dir()
                         .write("notify.yaml",
                                "version: 1\nname: n\nsteps:\n  - {run: exit 3, if: \"instance == 'vphone-0002'\"}\n"
                                "notify:\n  - run: {shell: 'echo \"$DROVER_JOB $DROVER_OK $DROVER_FAILED "
                                "$DROVER_EXIT_CODE\" >>\"$TOLD\"'}\n")
                         .string();
    // The server's environment has no such variable.
    auto environment = home.env();
    environment["TOLD"] = told;
    const auto done = run_drover({"run", job, "--on", "vphone-0001,vphone-0002"}, environment);
    EXPECT_EQ(done.code(), 10) << done.err;
    EXPECT_EQ(content(told), "n 1 1 10\n") << done.err;
}

TEST_F(ThroughServe, WhatIsWrongIsToldTheSameWay) {
    EXPECT_EQ(same({"exec", "--on", "a&&b", "--", "true"}).code(), 2);
    EXPECT_EQ(same({"exec", "--on", "vphone-0001,typo,slip", "--", "true"}).err, "drover: no such phone: typo, slip\n");
    EXPECT_EQ(same({"exec", "--on", "nobody-*", "--", "true"}).code(), 3);
    EXPECT_EQ(same({"exec", "--on", "nobody-*", "--allow-empty", "--output", "json", "--", "true"}).code(), 0);
    EXPECT_EQ(
        same({"exec", "--on", "vphone-0001", "--output", "lines", "--timeout", "300ms", "--", "sleep 100"}).code(), 21);
    EXPECT_EQ(
        same({"exec", "--output", "lines", "--max-parallel", "1", "--deadline", "300ms", "--", "sleep 100"}).code(),
        21);
    EXPECT_EQ(same({"exec", "--on", "vphone-0001", "--output", "lines", "--silence-timeout", "300ms", "--",
                    "echo a; sleep 100"})
                  .code(),
              21);
}

TEST_F(ThroughServe, WhatNoServerCanDoIsToldBeforeAnythingIsSent) {
    const auto refused = [&](const Args& args, const std::string& what) {
        const auto done = home.drover(args);
        EXPECT_EQ(done.code(), 2) << done.out;
        EXPECT_EQ(done.out, "");
        EXPECT_EQ(done.err, "drover: " + what +
                                " does not go through a drover server; to reach the phones directly, give "
                                "--inventory FILE\n");
        EXPECT_EQ(direct(args).code(), 0);
    };
    refused({"exec", "--", "echo \xff"}, "a command that is not UTF-8");
    refused({"exec", "--max-output", "16777217", "--", "true"}, "--max-output above 16777216");
    EXPECT_EQ(same({"exec", "--max-output", "16777216", "--", "true"}).code(), 0);
    refused({"plan", std::string(DROVER_SOURCE_DIR) + "/config/jobs/hello.yaml"}, "plan");
}

TEST_F(ThroughServe, WhichFleetIsChosenAndWhy) {
    const Args args{"exec", "-v", "--on", "vphone-0001", "--", "true"};
    EXPECT_THAT(home.drover(args).err, HasSubstr("that of the running drover server"));
    EXPECT_THAT(direct(args).err, HasSubstr("direct, inventory"));
    EXPECT_THAT(home.drover(with({"exec", "--server", "unix:" + home.socket()}, {args.begin() + 1, args.end()})).err,
                HasSubstr("(--server)"));
    auto env = home.env();
    env["DROVER_SERVER"] = "http://127.0.0.1:1";
    const auto gone = run_drover(with({"exec", "--inventory", sim_->inventory()}, {args.begin() + 1, args.end()}), env);
    EXPECT_THAT(gone.err, HasSubstr("(DROVER_SERVER)")) << "DROVER_SERVER goes before --inventory";
    EXPECT_EQ(gone.code(), 20) << gone.err;
    EXPECT_THAT(gone.err, HasSubstr("drover: drover server 127.0.0.1:1: Connection refused"));
    // An inventory that was chosen goes before a socket that is only found, and not before a server that was named.
    EXPECT_THAT(gone.err, HasSubstr("drover: --inventory is not used: the phones are those of the drover server"));
    auto chosen = home.env();
    chosen["DROVER_INVENTORY"] = sim_->inventory();
    EXPECT_THAT(run_drover(args, chosen).err, HasSubstr("direct, inventory " + sim_->inventory()));
    chosen["DROVER_SERVER"] = "unix:" + home.socket();
    const auto named = run_drover(args, chosen);
    EXPECT_EQ(named.code(), 0) << named.err;
    EXPECT_THAT(named.err,
                HasSubstr("drover: DROVER_INVENTORY is not used: the phones are those of the drover server"));
    EXPECT_THAT(named.err, HasSubstr("(DROVER_SERVER)"));
    env["DROVER_SERVER"] = "ftp://x";
    EXPECT_EQ(run_drover(args, env).code(), 2);
    // A socket that a server left behind is not one that runs.
    serve.process().signal(SIGKILL);
    ASSERT_TRUE(serve.process().wait());
    ASSERT_TRUE(std::filesystem::exists(home.socket()));
    env.erase("DROVER_SERVER");
    env["ADB_SERVER_SOCKET"] = "tcp:127.0.0.1:1";  // nor is there another way to phones
    EXPECT_THAT(run_drover({"exec", "--", "id"}, env).err,
                HasSubstr("drover: no drover server listens on " + home.socket() +
                          " (Connection refused), phones are reached directly\n"));
}

TEST_F(ThroughServe, WholeOutputsComeIntoFiles) {
    const auto through = (home.dir() / "through").string(), own = (home.dir() / "own").string();
    const std::string command = "seq 1 300000; seq 1 1000 >&2";
    ASSERT_EQ(home.drover({"exec", "--out-dir", through, "--timeout", "60s", "--", command}).code(), 0);
    ASSERT_EQ(direct({"exec", "--out-dir", own, "--timeout", "60s", "--", command}).code(), 0);
    for (const std::string file : {"vphone-0001.out", "vphone-0002.err", "vphone-0003.out"}) {
        EXPECT_EQ(content(std::filesystem::path(through) / file), content(std::filesystem::path(own) / file)) << file;
        EXPECT_FALSE(content(std::filesystem::path(own) / file).empty());
    }
}

TEST_F(ThroughServe, DevicesStatusAndWait) {
    ASSERT_EQ(home.drover({"wait", "all", "--state", "running"}).code(), 0);
    EXPECT_EQ(same({"devices", "--json"}).code(), 0);
    EXPECT_EQ(same({"devices", "vphone-0002"}).code(), 0);
    EXPECT_EQ(same({"devices", "nobody"}).code(), 3);
    const auto status = same({"status", "--json"});
    EXPECT_THAT(status.out, HasSubstr("\"condition\":\"running\""));
    const auto history = home.drover({"status", "vphone-0001", "--history"});
    EXPECT_THAT(history.out, HasSubstr("vphone-0001: 1 stopped (absent)"));
    EXPECT_THAT(history.out, HasSubstr("2 running"));
    EXPECT_EQ(same({"wait", "vphone-0001", "--state", "recovery", "--timeout", "300ms"}).code(), 22);
    EXPECT_EQ(same({"wait", "all", "--state", "running", "--count", "4"}).code(), 18);
}

TEST_F(ThroughServe, AWatchShowsStatesUntilItIsStoppedOrTheServerEnds) {
    auto watch = start({"status", "--watch", "--output", "jsonl"});
    ASSERT_TRUE(watch.wait_for_line("\"vphone-0003\",\"status\":2")) << watch.err();
    watch.signal(SIGINT);
    const auto stopped = watch.wait();
    ASSERT_TRUE(stopped);
    EXPECT_EQ(stopped->code, 130);
    auto second = start({"status", "--watch"});
    ASSERT_TRUE(second.wait_for_line("vphone-0003: 2 running")) << second.err();
    EXPECT_EQ(serve.stop(), 0) << "a watch kept the server from its end";
    const auto ended = second.wait();
    ASSERT_TRUE(ended);
    EXPECT_EQ(ended->code, 20);
    EXPECT_THAT(second.err(), HasSubstr("drover: the drover server was stopped"));
}

TEST_F(ThroughServe, ATokenReachesItsOwnPhonesOnly) {
    const auto made = home.drover({"token", "add", "small", "--instances", "vphone-0002"});
    ASSERT_EQ(made.code(), 0) << made.err;
    serve.process().signal(SIGHUP);
    ASSERT_TRUE(serve.process().wait_for_error_line("reading tokens"));
    auto env = home.env();
    env["DROVER_SERVER"] = serve.url();
    env["DROVER_TOKEN"] = made.out.substr(0, made.out.size() - 1);
    auto done = run_drover({"exec", "--output", "jsonl", "--", "true"}, env);
    const auto until = std::chrono::steady_clock::now() + kWaitMax;
    while (done.code() == 2 && std::chrono::steady_clock::now() < until)  // the token is not known yet
        done = run_drover({"exec", "--output", "jsonl", "--", "true"}, env);
    EXPECT_EQ(std::count(done.out.begin(), done.out.end(), '\n'), 1) << done.out;
    EXPECT_THAT(done.out, HasSubstr("vphone-0002"));
    const auto foreign = run_drover({"exec", "--on", "vphone-0002,vphone-0001", "--", "true"}, env);
    EXPECT_EQ(foreign.code(), 3);
    EXPECT_EQ(foreign.err, "drover: no such phone: vphone-0001\n");
    const auto listed = run_drover({"devices", "--json"}, env);
    EXPECT_THAT(listed.out, Not(HasSubstr("vphone-0001")));
    env["DROVER_TOKEN"] = "wrong";
    const auto refused = run_drover({"exec", "--", "true"}, env);
    EXPECT_EQ(refused.code(), 2);
    EXPECT_THAT(refused.err, HasSubstr("the token is not known"));
}

TEST_F(ThroughServe, AnswersAreAsOpenapiSays) {
    const OpenApi documented(std::string(DROVER_SOURCE_DIR) + "/config/openapi.yaml");
    const auto check = [&](const std::string& path, const std::string& body, int status) {
        const auto answer = call(home, serve, path, body);
        EXPECT_EQ(answer.status, status) << answer.body;
        EXPECT_EQ(documented.check(path, "post", answer.status, answer.json()), "") << answer.body;
    };
    check("/drover/v1/select", R"({"on":"vphone-*,typo"})", 200);
    check("/drover/v1/select", R"({"on":"a&&b"})", 400);
    check("/drover/v1/probe", R"({"on":"all"})", 200);
    check("/drover/v1/status", R"({"instance_ids":["vphone-0002"],"history":true})", 200);
    check("/drover/v1/watch", R"({"on":"nobody-*"})", 400);
    check("/drover/v1/exec", R"({"on":"all"})", 400);
    EXPECT_EQ(call(home, serve, "/drover/v1/calls/none/stop", "{}").status, 400);
}

TEST_F(ThroughServe, CurlReadsRowsAsTheyCome) {
    const auto answer =
        curl({"--unix-socket", home.socket(), "-d", R"json({"on":"vphone-0001","command":"echo $((6*7))"})json",
              "http://localhost/drover/v1/exec"});
    EXPECT_EQ(answer.status, 200);
    EXPECT_THAT(answer.body, testing::StartsWith("event: begin\ndata: {\"call_id\":\""));
    EXPECT_THAT(answer.body, HasSubstr("event: row\ndata: {\"instance_id\":\"vphone-0001\",\"status\":2"));
    EXPECT_THAT(answer.body, HasSubstr("\"execute_msg\":\"42\\n\""));
    EXPECT_THAT(answer.body, testing::EndsWith("event: end\ndata: {\"rows\":1,\"ok\":1,\"failed\":0}\n\n"));
    const auto ask = [&](const std::string& body) {
        return curl({"--unix-socket", home.socket(), "-d", body, "http://localhost/drover/v1/exec"});
    };
    EXPECT_THAT(ask(R"({"on":"all","comand":"true"})").body, HasSubstr("did you mean 'command'"));
    EXPECT_EQ(ask(R"({"on":"all"})").status, 400);
    EXPECT_EQ(ask(R"({"command":"true"})").status, 400);
    EXPECT_EQ(ask(R"({"on":"all","command":"true","timeout_ms":-1})").status, 400);
    EXPECT_EQ(ask(R"({"instance_ids":["nobody"],"command":"true"})").status, 400);
    EXPECT_EQ(curl({"-d", "{}", serve.url() + "/drover/v1/exec"}).status, 401);
}

}  // namespace
}  // namespace drover::test
