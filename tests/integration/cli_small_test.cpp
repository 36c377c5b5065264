// The subcommands that need few phones or none.
#include <gmock/gmock.h>

#include <boost/json/parse.hpp>

#include "support/drover.hpp"
#include "where.hpp"

namespace drover::test {
namespace {

namespace json = boost::json;
using testing::HasSubstr;
using testing::StartsWith;

TEST(CliSmall, VersionAndCodes) {
    EXPECT_THAT(run_drover({"version"}).out, StartsWith("drover 0."));
    EXPECT_EQ(run_drover({"--version"}).out, run_drover({"version"}).out);
    const auto table = run_drover({"codes"});
    EXPECT_EQ(table.code(), 0);
    EXPECT_THAT(table.out, HasSubstr("CPS.0005     phone  exit 20  Phone is not found.\n"));
    const auto codes = json::parse(run_drover({"codes", "--json"}).out).at("codes").as_array();
    EXPECT_EQ(codes.at(1).at("code").as_string(), "CPS.0191");
    EXPECT_EQ(codes.at(1).at("exit_code").as_int64(), 10);
}

TEST(CliSmall, AFullStdoutIsExitCode1) {
    const TempDir dir;
    const auto job = dir.write("j.yaml", "version: 1\nsteps: [{run: x}]\n").string();
    for (const auto& args : std::vector<std::string>{"version", "version --json", "--version", "--help", "codes",
                                                     "validate " + job, "sim --count 1 --port 0"}) {
        const auto done = run({.argv = {"bash", "-c", "'" DROVER_PROGRAM "' " + args + " > /dev/full"}});
        EXPECT_EQ(done.code(), 1) << args << "\n" << done.err;
    }
}

TEST(CliSmall, KeygenMakesAPrivateKeyOnceAndNeverReplacesOne) {
    const TempDir home;
    const EnvChanges env{{"HOME", home.path().string()}};
    const auto first = run_drover({"keygen"}, env);
    EXPECT_EQ(first.code(), 0) << first.err;
    const auto key = home / ".android" / "adbkey";
    const auto written = read_file(key);
    EXPECT_THAT(written, HasSubstr("PRIVATE KEY"));
    EXPECT_EQ(std::filesystem::status(key).permissions(),
              std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    const auto second = run_drover({"keygen"}, env);
    EXPECT_EQ(second.code(), 2);
    EXPECT_THAT(second.err, HasSubstr(key.string()));
    EXPECT_EQ(read_file(key), written);
    EXPECT_EQ(run_drover({"keygen", (home / "other").string()}, env).code(), 0);
    EXPECT_THAT(read_file(home / "other.pub"), HasSubstr("@"));
}

TEST(CliSmall, ProgramsReadWhatWasMadeAndKnown) {
    const TempDir home;
    const EnvChanges env{{"HOME", home.path().string()}, {"XDG_STATE_HOME", std::nullopt}};
    const auto key = (home / "key").string();
    const auto keys = json::parse(run_drover({"keygen", key, "--json"}, env).out);
    EXPECT_EQ(keys, (json::value{{"schema", 1}, {"private_key", key}, {"public_key", key + ".pub"}}));

    const auto added = json::parse(run_drover({"token", "add", "ci", "--instances", "a,b", "--json"}, env).out);
    EXPECT_EQ(added.at("tenant").as_string(), "ci");
    EXPECT_EQ(added.at("instances").as_string(), "a,b");
    EXPECT_EQ(added.at("token").as_string().size(), 64U);
    const auto known = json::parse(run_drover({"token", "list", "--json"}, env).out).at("tokens").as_array();
    ASSERT_EQ(known.size(), 1U);
    EXPECT_EQ(known[0].at("tenant").as_string(), "ci");
    EXPECT_EQ(known[0].at("sha256").as_string().size(), 64U);
    const auto removed = json::parse(run_drover({"token", "remove", "ci", "--json"}, env).out);
    EXPECT_EQ(removed, (json::value{{"schema", 1}, {"tenant", "ci"}, {"removed", 1}}));
}

TEST(CliSmall, WaitTellsProgramsWhoIsThere) {
    const SimProcess sim(2);
    const auto there = run_drover({"wait", "all", "--inventory", sim.inventory(), "--json"});
    EXPECT_EQ(there.code(), 0) << there.err;
    const auto told = json::parse(there.out);
    EXPECT_EQ(told.at("state").as_string(), "running");
    EXPECT_EQ(told.at("wanted"), json::value(2));
    EXPECT_EQ(told.at("there"), json::value(2));
    EXPECT_EQ(told.at("phones").at(1).at("instance_id").as_string(), "vphone-0002");
    EXPECT_EQ(told.at("phones").at(1).at("condition").as_string(), "running");
    EXPECT_EQ(run_drover({"wait", "all", "--inventory", sim.inventory()}).out, "");

    const auto late = run_drover(
        {"wait", "all", "--state", "recovery", "--timeout", "1ms", "--inventory", sim.inventory(), "--json"});
    EXPECT_EQ(late.code(), 22);
    EXPECT_EQ(json::parse(late.out).at("there"), json::value(0));
    EXPECT_EQ(json::parse(late.out).at("phones").as_array().size(), 2U);
}

TEST(CliSmall, AConfigurationNamesTheInventoryUnlessSomethingStronger) {
    SimProcess one(1), two(2);
    const TempDir dir;
    const auto config = dir.write("drover.yaml", "version: 1\ninventory: " + one.inventory() +
                                                     "\nstate_dir: " + dir.path().string() + "\n")
                            .string();
    const auto ids = [&](std::vector<std::string> more, EnvChanges env = {}) {
        more.insert(more.begin(), {"exec", "--config", config, "--output", "jsonl"});
        more.insert(more.end(), {"--", "true"});
        const auto done = run_drover(std::move(more), std::move(env));
        EXPECT_EQ(done.code(), 0) << done.err;
        return std::count(done.out.begin(), done.out.end(), '\n');
    };
    EXPECT_EQ(ids({}), 1);
    EXPECT_EQ(ids({}, {{"DROVER_INVENTORY", two.inventory()}}), 2);
    EXPECT_EQ(ids({"--inventory", one.inventory()}, {{"DROVER_INVENTORY", two.inventory()}}), 1);
    EXPECT_EQ(run_drover({"plan", dir.write("j.yaml", "version: 1\nsteps: [{run: x}]\n").string(), "--config", config})
                  .code(),
              0);
    EXPECT_EQ(run_drover({"exec", "--config", (dir / "none.yaml").string(), "--", "true"}).code(), 2);
}

TEST(CliSmall, DevicesListsPhonesAndWhy) {
    SimProcess sim(2);
    const TempDir dir;
    auto yaml = read_file(sim.inventory());
    const std::string head = "instances:\n";
    yaml.insert(yaml.find(head) + head.size(),
                "  - {id: absent-01, via: tcp, address: '127.0.0.1:1', labels: {rack: r1}}\n");
    const auto inventory = dir.write("i.yaml", yaml).string();
    const auto table = run_drover({"devices", "--inventory", inventory, "--connect-timeout", "1s"});
    EXPECT_EQ(table.code(), 0) << table.err;
    EXPECT_THAT(table.out, StartsWith("ID "));
    EXPECT_THAT(table.out, HasSubstr("\nabsent-01 "));
    EXPECT_THAT(table.out, HasSubstr("127.0.0.1:1 "));
    EXPECT_THAT(table.out, HasSubstr("\nvphone-0002 "));
    const auto done = run_drover(
        {"devices", "--inventory", inventory, "--json", "--connect-timeout", "1s", "vphone-*,label:rack=r1"});
    const auto devices = json::parse(done.out).at("devices").as_array();
    ASSERT_EQ(devices.size(), 3u);
    EXPECT_EQ(devices[0].at("instance_id").as_string(), "absent-01");
    EXPECT_EQ(devices[0].at("labels").at("rack").as_string(), "r1");
    EXPECT_NE(devices[0].at("why").as_string(), "");
    EXPECT_EQ(devices[1].at("state").as_string(), "device");
    EXPECT_EQ(run_drover({"devices", "--inventory", inventory, "nobody"}).code(), 3);
}

TEST(CliSmall, ValidateSaysWhereAJobIsWrong) {
    const TempDir dir;
    const auto good = dir.write("good.yaml", "version: 1\nname: g\nsteps:\n  - {name: a, run: 'true'}\n").string();
    const auto bad =
        dir.write("bad.yaml", "version: 1\nname: b\nstpes:\n  - {name: a, run: 'true', timeout: 5}\n").string();
    EXPECT_EQ(run_drover({"validate", good}).code(), 0);
    EXPECT_EQ(run_drover({"validate", good}).out, good + ": ok\n");
    const auto wrong = run_drover({"validate", good, bad});
    EXPECT_EQ(wrong.code(), 2);
    EXPECT_THAT(wrong.err, HasSubstr("bad.yaml:3:1: "));
    EXPECT_THAT(wrong.err, HasSubstr("steps"));
    const auto told = json::parse(run_drover({"validate", "--json", good, bad}).out).at("files");
    EXPECT_TRUE(told.at(0).at("ok").as_bool());
    EXPECT_FALSE(told.at(1).at("ok").as_bool());
    EXPECT_FALSE(told.at(1).at("errors").as_array().empty());
}

TEST(CliSmall, RunGivesOneRowPerPhoneWithItsSteps) {
    SimProcess sim(3);
    const TempDir dir;
    const auto job = dir.write("job.yaml",
                               "version: 1\nname: greet\non: vphone-[0001-0002]\nsteps:\n"
                               "  - {name: hello, run: echo hello}\n"
                               "  - {name: flaky, run: exit 7, continue-on-error: true}\n"
                               "  - {name: stop, run: 'exit 3'}\n"
                               "  - {name: never, run: echo never}\n")
                         .string();
    const auto done = run_drover({"run", job, "--inventory", sim.inventory(), "--json"});
    EXPECT_EQ(done.code(), 10) << done.err;
    const auto rows = json::parse(done.out).at("rows").as_array();
    ASSERT_EQ(rows.size(), 2u);
    const auto& steps = rows[0].at("steps").as_array();
    ASSERT_EQ(steps.size(), 4u) << done.out;
    EXPECT_EQ(steps[0].at("status").as_string(), "ok");
    EXPECT_EQ(steps[1].at("status").as_string(), "continued");
    EXPECT_EQ(steps[1].at("exit_code").as_int64(), 7);
    EXPECT_EQ(steps[2].at("status").as_string(), "failed");
    EXPECT_EQ(steps[3].at("status").as_string(), "skipped");
    EXPECT_EQ(rows[0].at("error_code").as_string(), "CPS.0191");
    EXPECT_EQ(run_drover({"run", job, "--inventory", sim.inventory(), "--on", "vphone-0003", "--json"}).code(), 10);
    const auto missing = run_drover({"run", "/nonexistent.yaml", "--inventory", sim.inventory()});
    EXPECT_EQ(missing.code(), 2);
    EXPECT_THAT(missing.err, HasSubstr("/nonexistent.yaml"));
}

TEST(CliSmall, TheHelloJobOfTheRepositoryRuns) {
    SimProcess sim(20);
    const auto done = run_drover({"run", std::string(DROVER_SOURCE_DIR) + "/config/jobs/hello.yaml", "--inventory",
                                  sim.inventory(), "--output", "fold"});
    EXPECT_EQ(done.code(), 0) << done.out << done.err;
    EXPECT_THAT(done.err, HasSubstr("20 phones: 20 ok"));
}

}  // namespace
}  // namespace drover::test
