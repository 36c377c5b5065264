// What a run leaves behind: rows, reports and artifacts that tell the same story, also when phones misbehave.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <boost/json/parse.hpp>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>

#include "support/drover.hpp"
#include "where.hpp"

namespace drover::test {
namespace {

namespace json = boost::json;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string kJobs = DROVER_SOURCE_DIR "/tests/jobs/";

std::string told(const json::value& value) { return {value.as_string().data(), value.as_string().size()}; }

std::size_t count_of(const std::string& text, std::string_view part) {
    std::size_t count = 0;
    for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += part.size()) ++count;
    return count;
}

// "ID/STEP" -> ok, failed, skipped, as the JUnit file tells; a step that failed and let the job go on is ok there.
std::map<std::string, std::string> cases_of(const std::string& xml) {
    std::map<std::string, std::string> out;
    static const std::regex kCase(
        R"re(<testcase classname="([^"]*)" name="([^"]*)" time="[^"]*">\n(\s*<(failure|error|skipped))?)re");
    for (std::sregex_iterator it(xml.begin(), xml.end(), kCase), end; it != end; ++it) {
        const auto kind = (*it)[4].str();
        out[(*it)[1].str() + "/" + (*it)[2].str()] = kind.empty() ? "ok" : kind == "skipped" ? "skipped" : "failed";
    }
    return out;
}

void expect_valid_junit(const std::filesystem::path& file) {
    const auto done = run({.argv = {"xmllint", "--noout", "--schema", kJobs + "junit.xsd", file.string()}});
    EXPECT_EQ(done.code(), 0) << done.err << "(xmllint is in libxml2-utils)";
}

TEST(JobReports, TwelveStepsOnAHundredPhonesTellTheSameEverywhere) {
    constexpr int kPhones = 100;
    const SimProcess sim(kPhones, {"--profile", kJobs + "some-broken.yaml", "--seed", "7"});
    const TempDir dir;
    const auto path = [&](const char* name) { return (dir / name).string(); };
    const auto done = run_drover(
        {"run", kJobs + "twelve-steps.yaml", "--inventory", sim.inventory(), "--output", "json", "--timeout", "300s",
         "--max-output", "4096", "--report", "junit=" + path("phones.xml"), "--report",
         "junit-steps=" + path("steps.xml"), "--report", "html=" + path("page.html"), "--artifacts", path("artifacts")},
        {{"XDG_STATE_HOME", dir.path().string()}});
    const auto document = json::parse(done.out);
    const auto& rows = document.at("rows").as_array();
    ASSERT_EQ(rows.size(), static_cast<std::size_t>(kPhones)) << done.err;
    const auto by_phone = cases_of(read_file(dir / "phones.xml"));
    const auto by_step = cases_of(read_file(dir / "steps.xml"));
    const auto page = read_file(dir / "page.html");
    expect_valid_junit(dir / "phones.xml");
    expect_valid_junit(dir / "steps.xml");
    std::size_t good = 0, cells = 0, failed_cells = 0;
    for (const auto& row : rows) {
        const auto id = told(row.at("instance_id"));
        const auto& steps = row.at("steps").as_array();
        ASSERT_EQ(steps.size(), 13U) << id;
        for (const auto& step : steps) {
            const auto status = told(step.at("status"));
            const auto wanted = status == "continued" ? "ok" : status;
            const auto name = told(step.at("name"));
            EXPECT_EQ(by_phone.at(fmt::format("{}/{}", id, name)), wanted);
            EXPECT_EQ(by_step.at(fmt::format("{}/{}", name, id)), wanted);
            ++cells;
            failed_cells += status == "failed" ? 1 : 0;
        }
        const auto code = told(row.at("error_code"));
        if (code.empty()) ++good;
        if (id.back() == '7') {
            EXPECT_EQ(code, "CPS.0191") << id;
            EXPECT_EQ(row.at("exit_code").as_int64(), 4);
            EXPECT_THAT(told(row.at("execute_msg")), HasSubstr("bad luck\n"));
        } else if (id.back() != '3' && id.back() != '9') {
            EXPECT_EQ(code, "") << id << told(row.at("error_msg"));
            EXPECT_EQ(read_file(dir / "artifacts" / id / "12-last" / "stdout"), id + " is done\n");
            EXPECT_EQ(read_file(dir / "artifacts" / id / "04-warn" / "stderr"), "careful\n");
        }
        if (row.at("attempts").as_int64() > 0) {
            EXPECT_EQ(told(steps[0].at("name")), "facts");
            EXPECT_EQ(steps[12].at("status").as_string() == "skipped", false) << id << ": nothing was cleaned up";
        }
    }
    EXPECT_GE(good, 70U);
    EXPECT_EQ(count_of(page, "<td class=\"c "), cells);
    EXPECT_EQ(count_of(page, "<td class=\"c failed\""), failed_cells);
    EXPECT_EQ(count_of(page, "<td class=\"why ok\">"), good);
    EXPECT_THAT(page, HasSubstr("it's a test on vphone-0001"));
    EXPECT_THAT(page, Not(HasSubstr("<script")));
    EXPECT_EQ(document.at("summary").at("ok").as_int64(), static_cast<std::int64_t>(good));
}

std::multiset<std::string> found_in(const std::string& text, const char* pattern) {
    const std::regex expression(pattern);
    std::multiset<std::string> out;
    for (std::sregex_iterator it(text.begin(), text.end(), expression), end; it != end; ++it) out.insert((*it)[1]);
    return out;
}

TEST(JobReports, TheFilesOfStepsAreTheSameEverywhere) {
    const SimProcess sim(3);
    const TempDir dir;
    dir.write("j.yaml",
              "version: 1\nartifacts: art of it\nsteps:\n"
              "  - {name: make, run: 'cd /data/local/tmp && echo 1 >one && mkdir -p d && echo 2 >d/two'}\n"
              "  - {name: both, pull: [/data/local/tmp/one, /data/local/tmp/d]}\n  - {name: log, logcat: true}\n"
              "  - {name: none, if: \"instance == 'vphone-0002'\", pull: /data/local/tmp/missing}\n");
    const auto report = [&](const char* kind, const char* name) {
        return fmt::format("{}={}", kind, (dir / name).string());
    };
    dir.write("reports/keep", "");
    const auto done =
        run_drover({"run", (dir / "j.yaml").string(), "--inventory", sim.inventory(), "--output", "json", "--report",
                    report("json", "reports/r.json"), "--report", report("junit", "reports/phones.xml"), "--report",
                    report("junit-steps", "reports/steps.xml"), "--report", report("html", "reports/r.html")},
                   {{"XDG_STATE_HOME", dir.path().string()}});
    EXPECT_EQ(done.code(), 10) << done.err;
    const auto text = read_file(dir / "reports" / "r.json");
    EXPECT_EQ(text, done.out);
    const auto document = json::parse(text);
    const auto top = dir / "art of it";
    std::multiset<std::string> files, attached, linked;
    for (const auto& row : document.at("rows").as_array()) {
        for (const auto& step : row.at("steps").as_array()) {
            const auto* of_step = step.as_object().if_contains("files");
            for (const auto& file : of_step ? of_step->as_array() : json::array()) {
                const auto name = told(file);
                EXPECT_TRUE(std::filesystem::exists(top / name)) << name;
                files.insert(name);
                attached.insert((top / name).string());
                linked.insert("../art%20of%20it/" + name);
            }
        }
    }
    EXPECT_EQ(files.size(), 9U) << text;
    EXPECT_EQ(found_in(read_file(dir / "reports" / "phones.xml"), R"re(\[\[ATTACHMENT\|([^\]]*)\]\]\n)re"), attached);
    EXPECT_EQ(found_in(read_file(dir / "reports" / "steps.xml"), R"re(\[\[ATTACHMENT\|([^\]]*)\]\]\n)re"), attached);
    const auto page = read_file(dir / "reports" / "r.html");
    EXPECT_EQ(found_in(page, R"re(<a href="([^"]*)">)re"), linked);
    EXPECT_EQ(found_in(page, R"re(<a href="[^"]*">([^<]*)</a>)re"), files);
    expect_valid_junit(dir / "reports" / "phones.xml");
    expect_valid_junit(dir / "reports" / "steps.xml");
}

TEST(JobReports, TheFilesOfAnOlderRunAreWhereThatRunLeftThem) {
    const SimProcess sim(2);
    const TempDir dir;
    dir.write("j.yaml", fmt::format("version: 1\nsteps:\n  - {{name: look, screenshot: true}}\n"
                                    "  - {{if: \"instance == 'vphone-0002'\", host-run: [test, -e, '{}']}}\n",
                                    (dir / "mended").string()));
    const auto go = [&](std::vector<std::string> words, const char* artifacts) {
        words.insert(words.begin(), "run");
        for (const auto& word :
             {std::string("--inventory"), sim.inventory(), std::string("--output"), std::string("json"),
              std::string("--artifacts"), (dir / artifacts).string(), "--report=html=" + (dir / "r.html").string(),
              "--report=junit=" + (dir / "r.xml").string()})
            words.push_back(word);
        const auto done = run_drover(words, {{"XDG_STATE_HOME", dir.path().string()}});
        std::smatch id;
        EXPECT_TRUE(std::regex_search(done.err, id, std::regex("drover: run ([-0-9a-f]+)"))) << done.err;
        return id[1].str();
    };
    // Each file that the reports name is there.
    const auto expect_there = [&](const std::string& wanted) {
        const auto attached = found_in(read_file(dir / "r.xml"), R"re(\[\[ATTACHMENT\|([^\]]*)\]\]\n)re");
        const auto linked = found_in(read_file(dir / "r.html"), R"re(<a href="([^"]*)">)re");
        EXPECT_EQ(attached.size(), 2U);
        EXPECT_EQ(linked.size(), 2U);
        for (const auto& file : attached) EXPECT_TRUE(std::filesystem::exists(file)) << file;
        for (const auto& link : linked) EXPECT_TRUE(std::filesystem::exists(dir.path() / link)) << link;
        EXPECT_TRUE(std::any_of(attached.begin(), attached.end(), [&](const auto& file) {
            return file.starts_with((dir / wanted).string() + "/vphone-0001/");
        })) << wanted;
    };
    const auto first = go({(dir / "j.yaml").string()}, "a");
    expect_there("a");
    const auto second = go({"--retry-failed", first}, "b");
    expect_there("a");
    const auto third = go({"--retry-failed", second}, "c");
    expect_there("a");
    go({"--resume", third}, "a");
    expect_there("a");
    EXPECT_THAT(read_file(dir / "r.xml"), HasSubstr((dir / "c").string() + "/vphone-0002/"));
    dir.write("mended", "");
    go({"--retry-failed", third}, "a");
    EXPECT_THAT(read_file(dir / "r.html"), Not(HasSubstr((dir / "a").string())));
    expect_there("a");
}

TEST(JobReports, EveryGoodJobRunsWithItsSecretsMasked) {
    const SimProcess sim(3);
    const TempDir dir;
    for (const auto& entry : std::filesystem::directory_iterator(kJobs + "good")) {
        const auto done = run_drover({"run", entry.path().string(), "--inventory", sim.inventory(), "--output", "lines",
                                      "--artifacts", (dir / "artifacts").string(), "--max-output", "100000"},
                                     {{"XDG_STATE_HOME", dir.path().string()}, {"DROVER_TEST_TOKEN", "tops3cret"}});
        EXPECT_EQ(done.code(), 0) << entry.path() << "\n" << done.out << done.err;
        EXPECT_THAT(done.out + done.err, Not(HasSubstr("tops3cret")));
        if (entry.path().stem() == "every-step") {
            EXPECT_THAT(done.out, HasSubstr("vphone-0002: the token is ***"));
            EXPECT_THAT(done.out, HasSubstr("vphone-0001: vphone-0001|two words|0|"));
            EXPECT_THAT(done.out, HasSubstr("com.android.shell is there, hello there"));
        }
    }
    const auto grep = run({.argv = {"grep", "-r", "tops3cret", dir.path().string()}});
    EXPECT_EQ(grep.out, "");
}

TEST(JobReports, AMissingSecretRunsNothing) {
    const SimProcess sim(1);
    const auto done = run_drover({"run", kJobs + "good/every-step.yaml", "--inventory", sim.inventory()},
                                 {{"DROVER_TEST_TOKEN", std::nullopt}});
    EXPECT_EQ(done.code(), 2);
    EXPECT_THAT(done.out + done.err, HasSubstr("secrets.TOKEN: the environment has no DROVER_TEST_TOKEN"));
}

TEST(JobReports, GitHubActionsGetsGroupsAndAnnotations) {
    const SimProcess sim(2);
    const TempDir dir;
    std::ofstream(dir / "j.yaml") << "version: 1\nsteps:\n  - run: echo '::error::not mine'\n"
                                     "  - {run: 'exit 3', if: \"instance == 'vphone-0002'\"}\n";
    const auto done =
        run_drover({"run", (dir / "j.yaml").string(), "--inventory", sim.inventory(), "--output", "lines"},
                   {{"GITHUB_ACTIONS", "true"}, {"XDG_STATE_HOME", dir.path().string()}});
    EXPECT_EQ(done.code(), 10);
    EXPECT_THAT(done.out, HasSubstr("::group::vphone-0001: ok\n::stop-commands::drover-"));
    EXPECT_THAT(done.out, HasSubstr("::endgroup::\n"));
    EXPECT_THAT(done.out,
                HasSubstr("::error title=vphone-0002::CPS.0191: Run command failed: exit code 3 (step 'step 2')\n"));
}

TEST(JobReports, ThePolicyAllowsAShareOfFailures) {
    const SimProcess sim(4);
    const TempDir dir;
    const auto job = [&](const char* max_fail) {
        std::ofstream(dir / "j.yaml") << "version: 1\nstrategy: {rollout: {serial: [2, 100%], max-fail: " << max_fail
                                      << "}}\nsteps:\n  - {if: \"instance == 'vphone-0001'\", run: exit 3}\n";
        return run_drover(
            {"run", (dir / "j.yaml").string(), "--inventory", sim.inventory(), "--output", "json", "--rc", "policy"},
            {{"XDG_STATE_HOME", dir.path().string()}});
    };
    EXPECT_EQ(job("25%").code(), 11);
    const auto stopped = job("0");
    EXPECT_EQ(stopped.code(), 10);
    EXPECT_THAT(stopped.out, HasSubstr(R"("by_code":{"CPS.0191":1,"DROVER.5005":2})"));
    EXPECT_THAT(stopped.out, HasSubstr("rollout: 1 of 4 phones failed, 0 allowed"));
}

TEST(JobReports, PlanShowsCommandsAndSendsNothing) {
    const TempDir dir;
    // Nobody listens there: a plan that connected would wait for them.
    std::ofstream(dir / "farm.yaml")
        << "version: 1\ninstances:\n  - {id: a, address: '127.0.0.1:1', labels: {rack: r1}}\n"
           "  - {id: b, address: '127.0.0.1:2', labels: {rack: r2}}\n";
    std::ofstream(dir / "j.yaml")
        << "version: 1\nname: n\nenv: {E: '{{ instance }}'}\nstrategy: {matrix: {x: [1, 2]}, rollout: {serial: [1]}}\n"
           "secrets: {T: {env: NOT_SET_HERE}}\nsteps:\n"
           "  - {run: 'echo {{ labels.rack }} {{ matrix.x }} {{ secrets.T }}', register: o, if: phone.sdk > 30, "
           "timeout: 5s}\n"
           "  - host-run: [echo, '{{ outputs.o.stdout }}']\n";
    const auto done = run_drover({"plan", (dir / "j.yaml").string(), "--inventory", (dir / "farm.yaml").string()});
    EXPECT_EQ(done.code(), 0) << done.err;
    EXPECT_EQ(done.out.substr(0, done.out.find("b (1)")),
              "n: 2 phones, 4 steps\nin batches of 1, 1\na (1)\n"
              "  with x=1\n   1. step 1  if phone.sdk > 30  within 5s\n       export E='a'; echo 'r1' '1' '***'\n"
              "   2. step 2\n       on this host: 'echo' '{{ outputs.o.stdout }}'\n"
              "  with x=2\n   3. step 1  if phone.sdk > 30  within 5s\n       export E='a'; echo 'r1' '2' '***'\n"
              "   4. step 2\n       on this host: 'echo' '{{ outputs.o.stdout }}'\n");
    const auto as_json =
        run_drover({"plan", (dir / "j.yaml").string(), "--inventory", (dir / "farm.yaml").string(), "--json"});
    const auto document = json::parse(as_json.out);
    EXPECT_EQ(told(document.at("phones").at(1).at("steps").at(2).at("command")), "export E='b'; echo 'r2' '2' '***'");
}

TEST(JobReports, ValidateTellsPlacesAsJsonAndSarif) {
    const auto bad = kJobs + "bad/if-assignment.yaml";
    const auto as_json = run_drover({"validate", "--json", bad});
    EXPECT_EQ(as_json.code(), 2);
    const auto problem = json::parse(as_json.out).at("files").at(0).at("problems").at(0);
    EXPECT_EQ(problem.at("line").as_int64(), 4);
    EXPECT_EQ(problem.at("column").as_int64(), 18);
    EXPECT_EQ(told(problem.at("message")), "steps[0].if: '=' is no comparison: write ==");
    const auto sarif = run_drover({"validate", "--sarif", bad, kJobs + "good/shortest.yaml"});
    EXPECT_EQ(sarif.code(), 2);
    const auto result = json::parse(sarif.out).at("runs").at(0).at("results").at(0);
    EXPECT_EQ(told(result.at("ruleId")), "DROVER.6005");
    const auto place = result.at("locations").at(0).at("physicalLocation");
    EXPECT_EQ(told(place.at("artifactLocation").at("uri")), bad);
    EXPECT_EQ(place.at("region").at("startColumn").as_int64(), 18);
}

}  // namespace
}  // namespace drover::test
