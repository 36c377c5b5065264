// `drover exec` as scripts see it: the real program against virtual phones.
#include <gmock/gmock.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "support/drover.hpp"
#include "where.hpp"

namespace drover::test {
namespace {

namespace json = boost::json;
using testing::HasSubstr;
using testing::StartsWith;

std::string field(const json::value& row, const char* key) { return std::string(row.at(key).as_string()); }

class CliExec : public testing::Test {
protected:
    static constexpr int kPhones = 20;

    Finished exec(std::vector<std::string> options, std::vector<std::string> words) {
        std::vector<std::string> args{"exec", "--inventory", sim_.inventory()};
        args.insert(args.end(), options.begin(), options.end());
        // Twenty real shells take their time on a busy machine.
        if (std::find(options.begin(), options.end(), "--timeout") == options.end())
            args.insert(args.end(), {"--timeout", "60s"});
        args.push_back("--");
        args.insert(args.end(), words.begin(), words.end());
        return run_drover(std::move(args));
    }
    // The inventory of the virtual phones and one more that nothing listens for.
    std::string inventory_with_absent_phone() {
        auto yaml = read_file(sim_.inventory());
        const std::string head = "instances:\n";
        yaml.insert(yaml.find(head) + head.size(), "  - {id: absent-01, via: tcp, address: '127.0.0.1:1'}\n");
        return dir_.write("with-absent.yaml", yaml).string();
    }

    TempDir dir_;
    SimProcess sim_{kPhones};
};

TEST_F(CliExec, JsonHasOneRowPerPhoneInTargetOrder) {
    const auto done = exec({"--json"}, {"echo", "hello;", "echo", "oops", ">&2"});
    EXPECT_EQ(done.code(), 0) << done.err;
    EXPECT_EQ(done.err, "");
    const auto document = json::parse(done.out);
    EXPECT_EQ(document.at("schema").as_int64(), 1);
    EXPECT_EQ(json::serialize(document.at("summary").at("by_code")), "{}");
    EXPECT_EQ(document.at("summary").at("ok").as_int64(), kPhones);
    const auto& rows = document.at("rows").as_array();
    ASSERT_EQ(rows.size(), static_cast<std::size_t>(kPhones));
    for (int i = 0; i < kPhones; ++i) {
        const auto& row = rows[static_cast<std::size_t>(i)];
        EXPECT_EQ(field(row, "instance_id"), fmt::format("vphone-{:04}", i + 1));
        EXPECT_EQ(row.at("status").as_int64(), 2);
        EXPECT_EQ(field(row, "error_code") + field(row, "error_msg") + field(row, "class"), "");
        EXPECT_EQ(field(row, "phase"), "done");
        EXPECT_EQ(row.at("exit_code").as_int64(), 0);
        EXPECT_EQ(row.at("output_bytes").as_int64(), 11);
        EXPECT_FALSE(row.at("truncated").as_bool());
        EXPECT_EQ(row.at("attempts").as_int64(), 1);
        EXPECT_EQ(field(row, "execute_msg").size(), 11u);
    }
}

TEST_F(CliExec, JsonlIsOneRowPerLine) {
    const auto done = exec({"--output", "jsonl", "--on", "vphone-[0001-0003]"}, {"getprop", "ro.serialno"});
    EXPECT_EQ(done.code(), 0) << done.err;
    std::size_t lines = 0;
    for (std::size_t at = 0; at < done.out.size(); ++lines) {
        const auto end = done.out.find('\n', at);
        ASSERT_NE(end, std::string::npos);
        EXPECT_EQ(json::parse(done.out.substr(at, end - at)).at("status").as_int64(), 2);
        at = end + 1;
    }
    EXPECT_EQ(lines, 3u);
}

TEST_F(CliExec, LinesKeepStdoutAndStderrApart) {
    const auto done = exec({"--on", "vphone-0002"}, {"echo out; echo err >&2; exit 3"});
    EXPECT_EQ(done.code(), 10);
    EXPECT_EQ(done.out, "vphone-0002: out\n");
    EXPECT_THAT(done.err, HasSubstr("vphone-0002: err\n"));
    EXPECT_THAT(done.err, HasSubstr("vphone-0002: CPS.0191: "));
    EXPECT_THAT(done.err, HasSubstr("exit code 3\n"));
    EXPECT_THAT(done.err, HasSubstr("1 phone: 0 ok, 1 failed (CPS.0191: 1)"));
}

TEST_F(CliExec, FoldShowsEqualAnswersOnceTheLargestGroupFirst) {
    const auto done = exec({"--output", "fold"}, {"[ $(getprop ro.serialno) = vphone-0007 ] && echo odd || echo same"});
    EXPECT_EQ(done.code(), 0) << done.err;
    EXPECT_THAT(done.out, StartsWith("---------------\n"));
    EXPECT_THAT(done.out, HasSubstr("same\n"));
    EXPECT_THAT(done.err, HasSubstr("20 phones: 20 ok"));
}

TEST_F(CliExec, WordsAreJoinedBySingleSpacesAndTheShellOfThePhoneReadsThem) {
    const auto done = exec({"--on", "vphone-0001"}, {"echo", "a   b", "\"c   d\"", "$((1+2))"});
    EXPECT_EQ(done.out, "vphone-0001: a b c   d 3\n");
}

TEST_F(CliExec, StdinOfTheCommandIsNotFed) {
    auto options = drover_command(
        {"exec", "--inventory", sim_.inventory(), "--on", "vphone-0001", "--", "echo begin; cat; echo end"});
    options.input = "must not arrive\n";
    const auto done = run(std::move(options));
    // It is at its end: what reads it ends, instead of waiting for the timeout.
    EXPECT_EQ(done.out, "vphone-0001: begin\nvphone-0001: end\n") << done.err;
    EXPECT_EQ(done.code(), 0);
}

TEST_F(CliExec, ATimeoutGivesItsRowAndExitCode21) {
    const auto done = exec({"--json", "--timeout", "1500ms", "--on", "vphone-0001"}, {"echo before; sleep 100"});
    EXPECT_EQ(done.code(), 21) << done.err;
    const auto row = json::parse(done.out).at("rows").at(0);
    EXPECT_EQ(field(row, "error_code"), "DROVER.1005");
    EXPECT_EQ(field(row, "class"), "phone");
    EXPECT_EQ(field(row, "execute_msg"), "before\n");
    EXPECT_TRUE(row.at("exit_code").is_null());
    EXPECT_GE(row.at("ms").as_int64(), 1500);
}

TEST_F(CliExec, TheDeadlineOfTheCallGivesEveryPhoneARow) {
    const auto done = exec({"--json", "--deadline", "2s", "--timeout", "60s", "--max-parallel", "5"}, {"sleep 100"});
    EXPECT_EQ(done.code(), 21) << done.err;
    const auto document = json::parse(done.out);
    EXPECT_EQ(document.at("rows").as_array().size(), static_cast<std::size_t>(kPhones));
    EXPECT_EQ(json::serialize(document.at("summary").at("by_code")), R"({"DROVER.1006":20})");
}

TEST_F(CliExec, AnAbsentPhoneIsARowAndExitCode20) {
    const auto done = run_drover(
        {"exec", "--inventory", inventory_with_absent_phone(), "--json", "--connect-timeout", "2s", "--", "exit 3"});
    EXPECT_EQ(done.code(), 20) << done.err;
    const auto rows = json::parse(done.out).at("rows");
    EXPECT_EQ(rows.as_array().size(), static_cast<std::size_t>(kPhones) + 1);
    EXPECT_EQ(field(rows.at(0), "instance_id"), "absent-01");
    EXPECT_EQ(field(rows.at(0), "error_code"), "CPS.0005");
    EXPECT_EQ(rows.at(0).at("attempts").as_int64(), 0);
    EXPECT_EQ(field(rows.at(1), "error_code"), "CPS.0191");
}

TEST_F(CliExec, MaxOutputCutsTheRowAndKeepsTheExitCode) {
    const auto done =
        exec({"--json", "--max-output", "5", "--on", "vphone-0001"}, {"printf 'abcd\\303\\251fgh'; exit 4"});
    EXPECT_EQ(done.code(), 10) << done.err;
    const auto row = json::parse(done.out).at("rows").at(0);
    EXPECT_EQ(field(row, "execute_msg"), "abcd");  // the two bytes of the next character do not fit
    EXPECT_TRUE(row.at("truncated").as_bool());
    EXPECT_EQ(row.at("output_bytes").as_int64(), 9);
    EXPECT_EQ(row.at("exit_code").as_int64(), 4);
}

TEST_F(CliExec, OutDirHoldsTheWholeOutputOfEachPhone) {
    const auto out = dir_ / "out";
    const auto done = exec({"--json", "--out-dir", out.string(), "--timeout", "60s"},
                           {"head -c 3000000 /dev/zero; echo $(getprop ro.serialno) >&2"});
    EXPECT_EQ(done.code(), 0) << done.err << done.out.substr(0, 2000);
    for (int i = 1; i <= kPhones; ++i) {
        const auto id = fmt::format("vphone-{:04}", i);
        EXPECT_TRUE(read_file(out / (id + ".out")) == std::string(3'000'000, '\0')) << id;
        EXPECT_FALSE(read_file(out / (id + ".err")).empty()) << id;
    }
    const auto document = json::parse(done.out);
    for (const auto& row : document.at("rows").as_array()) EXPECT_TRUE(row.at("truncated").as_bool());
}

TEST_F(CliExec, ReportFilesAreWrittenBesideWhatIsShown) {
    const auto json_file = dir_ / "r.json", junit_file = dir_ / "r.xml";
    const auto done = exec(
        {"--report", "json=" + json_file.string(), "--report", "junit=" + junit_file.string(), "--on", "vphone-0001"},
        {"printf '\\033x\\n'; exit 1"});
    EXPECT_EQ(done.code(), 10) << done.err;
    EXPECT_EQ(done.out, "vphone-0001: \x1bx\n");  // a pipe gets what the phone sent
    EXPECT_EQ(json::parse(read_file(json_file)).at("summary").at("exit_code").as_int64(), 10);
    EXPECT_THAT(read_file(junit_file), HasSubstr("<system-out>\xef\xbf\xbdx\n</system-out>"));
    EXPECT_THAT(read_file(junit_file), HasSubstr("<failure type=\"CPS.0191\""));
    for (const auto& entry : std::filesystem::directory_iterator(dir_.path())) {
        EXPECT_THAT(entry.path().string(), testing::Not(HasSubstr(".part-")));
    }
}

TEST_F(CliExec, AReportGoesWhereALinkLeads) {
    const auto report = [&](const std::filesystem::path& to) {
        const auto done = exec({"--report", "json=" + to.string(), "--on", "vphone-0001"}, {"echo x"});
        EXPECT_EQ(done.code(), 0) << done.err;
    };
    const auto real = dir_.write("real.json", "old"), link = dir_ / "link.json", fresh = dir_ / "fresh.json";
    std::filesystem::create_symlink("real.json", link);
    report(link);
    EXPECT_TRUE(std::filesystem::is_symlink(link));
    EXPECT_THAT(read_file(real), HasSubstr("\"exit_code\""));
    std::filesystem::remove(real);
    report(link);
    EXPECT_TRUE(std::filesystem::is_symlink(link));
    EXPECT_TRUE(std::filesystem::exists(real)) << "nor does it have to be there yet";

    // A link of the test's own: a machine's /dev/stdout is not put at risk.
    const auto shown = (dir_ / "shown").string();
    std::filesystem::create_symlink("/proc/self/fd/1", dir_ / "stdout");
    const auto script =
        fmt::format("echo before; '{}' exec --inventory '{}' --on vphone-0001 --report json='{}' -- echo x",
                    DROVER_PROGRAM, sim_.inventory(), (dir_ / "stdout").string());
    EXPECT_EQ(run({.argv = {"bash", "-c", "{ " + script + "; echo after; } >\"$0\"", shown}}).code(), 0);
    EXPECT_THAT(read_file(shown), testing::MatchesRegex("before\nvphone-0001: x\n\\{(.|\n)*\\}\nafter\n"));
    EXPECT_TRUE(std::filesystem::is_symlink(dir_ / "stdout"));
}

TEST_F(CliExec, AReaderThatLeavesIsNoCrashAndNoWait) {
    // head takes one line and leaves; the phones that still sleep are stopped, not waited for.
    const auto script = fmt::format(
        "'{}' exec --inventory '{}' --timeout 300s -- "
        "'case $(getprop ro.serialno) in *1) sleep 200;; *) echo x;; esac' | head -1; "
        "echo code ${{PIPESTATUS[0]}}",
        DROVER_PROGRAM, sim_.inventory());
    const auto done = run({.argv = {"bash", "-c", script}});
    EXPECT_EQ(done.code(), 0);
    EXPECT_THAT(done.out, HasSubstr(": x\n"));
    EXPECT_THAT(done.out, HasSubstr("code 1\n")) << done.err;
}

TEST_F(CliExec, AClosedStdoutIsToldAndNotTakenForASocket) {
    const auto script =
        fmt::format("'{}' exec --inventory '{}' -- echo x >&-; echo code $?", DROVER_PROGRAM, sim_.inventory());
    const auto done = run({.argv = {"bash", "-c", script}});
    EXPECT_THAT(done.out, HasSubstr("code 1\n"));
    EXPECT_THAT(done.err, HasSubstr("cannot write the results"));
}

TEST_F(CliExec, WhatIsWrongBeforehandIsOneLineAndNothingRuns) {
    const auto inventory = sim_.inventory();
    const auto expect = [](const Finished& done, int code, const std::string& part) {
        EXPECT_EQ(done.code(), code) << done.err;
        EXPECT_THAT(done.err, HasSubstr(part));
        EXPECT_EQ(done.out, "");
        EXPECT_EQ(std::count(done.err.begin(), done.err.end(), '\n'), 1) << done.err;
    };
    expect(run_drover({"exec", "--inventory", inventory}), 2, "no command");
    expect(run_drover({"exec", "--inventory", inventory, "--", ""}), 2, "no command");
    expect(run_drover({"exec", "--inventory", inventory, "--on", "a&&b", "--", "true"}), 2, "drover: ");
    expect(run_drover({"exec", "--inventory", inventory, "--on", "nobody-*", "--", "true"}), 3, "nobody-*");
    expect(run_drover({"exec", "--inventory", "/nonexistent.yaml", "--", "true"}), 2, "/nonexistent.yaml");
    const auto bad =
        dir_.write("bad.yaml", "version: 1\ninstances:\n  - id: x\n    vla: tcp\n    address: a:1\n").string();
    expect(run_drover({"exec", "--inventory", bad, "--", "true"}), 2, "bad.yaml:4:5");
    expect(run_drover({"exec", "--inventory", inventory, "--out-dir", "/proc/nowhere", "--", "true"}), 2,
           "/proc/nowhere");
    expect(run_drover({"exec", "--inventory", inventory, "--report", "json=/proc/no/r", "--", "true"}), 2,
           "/proc/no/r");
    expect(run_drover({"exec", "--inventory", inventory, "--", "true"}, {{"DROVER_SERVER", "ftp://x"}}), 2,
           "DROVER_SERVER");
}

TEST_F(CliExec, AnUnknownIdIsToldAndNothingMatchedIs3UnlessAllowed) {
    auto done = exec({"--on", "vphone-0001,typo,slip"}, {"echo x"});
    EXPECT_EQ(done.code(), 3);
    EXPECT_EQ(done.err, "drover: no such phone: typo, slip\n");
    EXPECT_EQ(done.out, "");
    for (const char* command : {"devices", "status", "wait"}) {
        done = run_drover({command, "--inventory", sim_.inventory(), "vphone-0001,typo"});
        EXPECT_EQ(done.code(), 3) << command;
        EXPECT_EQ(done.err, "drover: no such phone: typo\n");
    }
    done = exec({"--on", "vphone-0001,typo", "--allow-empty"}, {"echo x"});
    EXPECT_EQ(done.code(), 0);
    EXPECT_EQ(done.out, "vphone-0001: x\n");
    EXPECT_THAT(done.err, HasSubstr("no such phone: typo\n"));
    done = exec({"--on", "typo", "--allow-empty", "--json"}, {"echo x"});
    EXPECT_EQ(done.code(), 0) << done.err;
    EXPECT_EQ(json::parse(done.out).at("rows").as_array().size(), 0u);
}

TEST_F(CliExec, WithoutInventoryAndAdbServerItSaysWhatToGive) {
    const auto done = run_drover({"exec", "--", "true"}, {{"ADB_SERVER_SOCKET", "tcp:127.0.0.1:1"}});
    EXPECT_EQ(done.code(), 20);
    EXPECT_THAT(done.err, HasSubstr("give --inventory FILE\n"));
}

TEST_F(CliExec, TheInventoryMayComeFromTheEnvironmentAndVerboseSaysSo) {
    const auto done =
        run_drover({"exec", "-v", "--on", "vphone-0001", "--", "echo", "x"}, {{"DROVER_INVENTORY", sim_.inventory()}});
    EXPECT_EQ(done.code(), 0) << done.err;
    EXPECT_THAT(done.err, HasSubstr("(DROVER_INVENTORY)"));
}

}  // namespace
}  // namespace drover::test
