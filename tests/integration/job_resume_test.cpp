// A run that is killed and taken up again: nothing that must not run twice did, and nothing is missing.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <boost/json/parse.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>

#include "support/drover.hpp"
#include "support/rounds.hpp"
#include "where.hpp"

namespace drover::test {
namespace {

namespace json = boost::json;
using ::testing::HasSubstr;

constexpr int kResumePhones = 10;
constexpr int kSteps = 6;

// Each step leaves a line on the host, before anything can go wrong on the way back. Step 3 may run again.
void write_job(const std::filesystem::path& file, const std::filesystem::path& marks) {
    std::ofstream out(file);
    out << "version: 1\ntimeout: 120s\nsteps:\n";
    for (int i = 1; i <= kSteps; ++i) {
        out << fmt::format(
            "  - name: s{0}\n    idempotent: {1}\n    host-run: {{shell: 'echo s{0} >>{2}/$DROVER_INSTANCE'}}\n", i,
            i == 3, marks.string());
        out << fmt::format("  - {{name: t{}, run: 'true', idempotent: true}}\n", i);
    }
}

std::map<std::string, int> lines_of(const std::filesystem::path& file) {
    std::map<std::string, int> out;
    std::ifstream in(file);
    for (std::string line; std::getline(in, line);) ++out[line];
    return out;
}

struct World {
    SimProcess sim{kResumePhones};
    TempDir dir;
    EnvChanges env;
    World() {
        std::filesystem::create_directory(dir / "marks");
        write_job(dir / "j.yaml", dir / "marks");
        env = {{"XDG_STATE_HOME", dir.path().string()}};
    }
    ProcessOptions command(std::vector<std::string> args) {
        args.insert(args.begin(), "run");
        for (const auto& more :
             {std::string("--inventory"), sim.inventory(), std::string("--output"), std::string("json")})
            args.push_back(more);
        return drover_command(std::move(args), env);
    }
};

void expect_nothing_twice_nothing_missed(World& world, const json::value& document) {
    const auto& rows = document.at("rows").as_array();
    ASSERT_EQ(rows.size(), static_cast<std::size_t>(kResumePhones));
    for (const auto& row : rows) {
        const std::string id(row.at("instance_id").as_string());
        const auto marks = lines_of(world.dir / "marks" / id);
        bool interrupted = false;
        for (const auto& step : row.at("steps").as_array()) {
            const std::string name(step.at("name").as_string());
            const auto found = marks.find(name);
            const int times = found == marks.end() ? 0 : found->second;
            if (name[0] != 's') continue;
            if (name != "s3") EXPECT_LE(times, 1) << id << " " << name << " ran twice";
            if (step.at("error_code").as_string() == "DROVER.5002") {
                interrupted = true;  // whether it ran, nobody knows; it is told, and not done again
            } else if (step.at("status").as_string() == "skipped") {
                EXPECT_TRUE(interrupted) << id << " " << name << " was missed";
                // s3 may be done again: its beginning does not wait until the end of s2 is on disk.
                EXPECT_LE(times, name == "s3" ? 1 : 0) << id << " " << name;
            } else {
                EXPECT_EQ(step.at("status").as_string(), "ok") << id << " " << name;
                EXPECT_GE(times, 1) << id << " " << name;
            }
        }
        EXPECT_EQ(row.at("error_code").as_string() == "DROVER.5002", interrupted) << id;
    }
}

std::string run_id_of(const Finished& done) {
    const auto at = done.err.find("drover: run ") + 12;
    return done.err.substr(at, done.err.find('\n', at) - at);
}

TEST(JobResume, KilledAtRandomMoments) {
    const auto seed = std::random_device()();
    std::mt19937 random(seed);
    for (unsigned round = 0; round < rounds(5); ++round) {
        SCOPED_TRACE(fmt::format("seed {} round {}", seed, round));
        World world;
        const auto wanted = 1 + random() % (kResumePhones * kSteps);
        Process first(world.command({(world.dir / "j.yaml").string()}));
        const auto line = first.wait_for_error_line("drover: run ");
        ASSERT_TRUE(line) << first.err();
        const auto run_id = line->substr(line->rfind(' ') + 1);
        // So many steps have left their mark: an event, and never the same moment.
        const auto marks = [&] {
            std::size_t count = 0;
            for (const auto& file : std::filesystem::directory_iterator(world.dir / "marks")) {
                for (const auto& [name, times] : lines_of(file.path())) count += static_cast<std::size_t>(times);
            }
            return count;
        };
        while (marks() < wanted && !first.wait(std::chrono::milliseconds(1))) {}
        first.signal(SIGKILL);
        first.wait();
        const auto second = run(world.command({"--resume", run_id}));
        expect_nothing_twice_nothing_missed(world, json::parse(second.out));
        // Once more: everything is known, nothing is done.
        const auto before = marks();
        const auto third = run(world.command({"--resume", run_id}));
        EXPECT_EQ(marks(), before);
        EXPECT_EQ(json::parse(third.out).at("rows").as_array().size(), static_cast<std::size_t>(kResumePhones));
        EXPECT_EQ(third.code(), second.code());
    }
}

TEST(JobResume, WithoutAWholeJournalNothingRunsTwice) {
    World world;
    // The journal is the only file that comes to 4 kB.
    Process first(with_small_files(world.command({(world.dir / "j.yaml").string()}), 8));
    const auto line = first.wait_for_error_line("drover: run ");
    ASSERT_TRUE(line) << first.err();
    EXPECT_TRUE(first.wait_for_error_line("drover: this run cannot be resumed, its journal could not be written: "));
    first.signal(SIGKILL);
    first.wait();
    const auto second = run(world.command({"--resume", line->substr(line->rfind(' ') + 1)}));
    EXPECT_EQ(second.code(), 2) << second.out;
    EXPECT_THAT(second.err, HasSubstr("its disk failed and it said so; run the job anew"));
}

TEST(JobResume, RetryFailedRunsOnlyWhatFailed) {
    World world;
    std::ofstream(world.dir / "j.yaml") << fmt::format(
        "version: 1\nsteps:\n  - host-run: {{shell: 'echo x >>{0}/marks/$DROVER_INSTANCE'}}\n"
        "  - {{if: \"instance == 'vphone-0004'\", host-run: {{shell: 'test -e {0}/mended'}}}}\n",
        world.dir.path().string());
    const auto first = run(world.command({(world.dir / "j.yaml").string()}));
    EXPECT_EQ(first.code(), 10) << first.err;
    std::ofstream(world.dir / "mended") << "x";
    const auto second = run(world.command({"--retry-failed", run_id_of(first)}));
    EXPECT_EQ(second.code(), 0) << second.out << second.err;
    EXPECT_EQ(json::parse(second.out).at("rows").as_array().size(), static_cast<std::size_t>(kResumePhones));
    EXPECT_EQ(lines_of(world.dir / "marks" / "vphone-0004")["x"], 2);
    EXPECT_EQ(lines_of(world.dir / "marks" / "vphone-0005")["x"], 1);
    // Of the retry nothing failed.
    const auto third = run(world.command({"--retry-failed", run_id_of(second)}));
    EXPECT_EQ(third.code(), 0) << third.err;
    EXPECT_EQ(lines_of(world.dir / "marks" / "vphone-0004")["x"], 2);
}

TEST(JobResume, WhatIsInTheOutDirectoryStays) {
    World world;
    std::ofstream(world.dir / "j.yaml") << "version: 1\nsteps:\n  - run: echo one; echo two >&2\n";
    const auto out = (world.dir / "out").string();
    const auto first = run(world.command({(world.dir / "j.yaml").string(), "--out-dir", out}));
    EXPECT_EQ(first.code(), 0) << first.err;
    const auto at = first.err.find("drover: run ") + 12;
    const auto resumed =
        run(world.command({"--resume", first.err.substr(at, first.err.find('\n', at) - at), "--out-dir", out}));
    EXPECT_EQ(resumed.code(), 0) << resumed.err;
    EXPECT_EQ(read_file(world.dir / "out" / "vphone-0001.out"), "one\n");
    EXPECT_EQ(read_file(world.dir / "out" / "vphone-0001.err"), "two\n");
}

TEST(JobResume, ARetryLeavesTheOutputOfPhonesThatAreDone) {
    World world;
    std::ofstream(world.dir / "j.yaml") << fmt::format(
        "version: 1\nsteps:\n  - run: echo one; echo two >&2\n"
        "  - host-run: {{shell: 'test $DROVER_INSTANCE != vphone-0004 || test -e {}'}}\n",
        (world.dir / "mended").string());
    const auto out = (world.dir / "out").string();
    const auto first = run(world.command({(world.dir / "j.yaml").string(), "--out-dir", out}));
    EXPECT_EQ(first.code(), 10) << first.err;
    std::ofstream(world.dir / "mended") << "x";
    const auto second = run(world.command({"--retry-failed", run_id_of(first), "--out-dir", out}));
    EXPECT_EQ(second.code(), 0) << second.err;
    for (const char* id : {"vphone-0001", "vphone-0004"}) {
        EXPECT_EQ(read_file(world.dir / "out" / (std::string(id) + ".out")), "one\n") << id;
        EXPECT_EQ(read_file(world.dir / "out" / (std::string(id) + ".err")), "two\n") << id;
    }
}

// Killed when every phone has printed `two` and its step goes on; then resumed, with the output in `second_dir`.
void kill_and_resume(World& world, bool idempotent, const std::string& second_dir, int code) {
    const auto go = world.dir / "go";
    std::ofstream(world.dir / "j.yaml") << fmt::format(
        "version: 1\nsteps:\n  - run: echo one\n  - idempotent: {}\n"
        "    host-run: {{shell: 'echo two; while ! test -e {}; do sleep 0.05; done'}}\n",
        idempotent, go.string());
    Process first(world.command({(world.dir / "j.yaml").string(), "--out-dir", (world.dir / "out").string()}));
    const auto line = first.wait_for_error_line("drover: run ");
    ASSERT_TRUE(line) << first.err();
    const auto all_printed = [&] {
        for (int i = 1; i <= kResumePhones; ++i) {
            if (read_file(world.dir / "out" / fmt::format("vphone-{:04}.out", i)) != "one\ntwo\n") return false;
        }
        return true;
    };
    while (!all_printed() && !first.wait(std::chrono::milliseconds(1))) {}
    first.signal(SIGKILL);
    first.wait();
    std::ofstream(go) << "x";
    const auto second = run(world.command({"--resume", line->substr(line->rfind(' ') + 1), "--out-dir", second_dir}));
    EXPECT_EQ(second.code(), code) << second.out << second.err;
}

TEST(JobResume, WhatAnInterruptedStepPrintedIsInTheOutDirectoryOnce) {
    for (const bool idempotent : {true, false}) {
        World world;
        const auto out = world.dir / "out";
        kill_and_resume(world, idempotent, out.string() + "/./", idempotent ? 0 : 20);
        for (const char* file : {"vphone-0001.out", "vphone-0010.out"})
            EXPECT_EQ(read_file(out / file), "one\ntwo\n") << file << " idempotent: " << idempotent;
    }
}

// Its `finally` steps have run: what they put away is not there for the steps that are missing.
TEST(JobResume, ARunThatWasStoppedHasEnded) {
    World world;
    const auto mark = [&](const char* text) {
        return fmt::format("host-run: {{shell: 'echo {} >>{}/marks/$DROVER_INSTANCE", text, world.dir.path().string());
    };
    std::ofstream(world.dir / "j.yaml") << fmt::format(
        "version: 1\ntimeout: 120s\nsteps:\n  - idempotent: true\n    {}; while ! test -e {}/go; do sleep 0.05; "
        "done'}}\n"
        "finally:\n  - {}'}}\n",
        mark("step"), world.dir.path().string(), mark("end"));
    Process first(world.command({(world.dir / "j.yaml").string()}));
    const auto line = first.wait_for_error_line("drover: run ");
    ASSERT_TRUE(line) << first.err();
    const auto id = line->substr(line->rfind(' ') + 1);
    const auto all_began = [&] {
        for (int i = 1; i <= kResumePhones; ++i) {
            if (lines_of(world.dir / "marks" / fmt::format("vphone-{:04}", i))["step"] == 0) return false;
        }
        return true;
    };
    while (!all_began() && !first.wait(std::chrono::milliseconds(1))) {}
    first.signal(SIGTERM);
    ASSERT_TRUE(first.wait());
    std::ofstream(world.dir / "go") << "x";
    const auto resumed = run(world.command({"--resume", id}));
    EXPECT_EQ(resumed.code(), 20);
    EXPECT_EQ(json::parse(resumed.out).at("rows").at(0).at("error_code"), "DROVER.5002");
    EXPECT_THAT(resumed.err,
                HasSubstr("drover: run " + id + " has ended, nothing of it is left to do; --retry-failed " + id +
                          " runs the job again where it failed\n"));
    const auto marks = [&] { return lines_of(world.dir / "marks" / "vphone-0010"); };
    EXPECT_EQ(marks(), (std::map<std::string, int>{{"step", 1}, {"end", 1}}));
    const auto retried = run(world.command({"--retry-failed", id}));
    EXPECT_EQ(retried.code(), 0) << retried.err;
    EXPECT_EQ(marks(), (std::map<std::string, int>{{"step", 2}, {"end", 2}}));
}

// Whatever threads it has by then: what a signal does to a run, it does to the rest of one.
TEST(JobResume, ASignalStopsAResumedRunAsAnyOther) {
    World world;
    const auto note = [&](const char* text) {
        return fmt::format("host-run: {{shell: 'echo {} >>{}/marks/$DROVER_INSTANCE", text, world.dir.path().string());
    };
    std::ofstream(world.dir / "j.yaml") << fmt::format(
        "version: 1\ntimeout: 120s\nsteps:\n  - idempotent: true\n    {}; exec sleep 100'}}\nfinally:\n  - {}'}}\n",
        note("step"), note("end"));
    const auto all_have = [&](const std::string& mark, int times) {
        for (int i = 1; i <= kResumePhones; ++i) {
            if (lines_of(world.dir / "marks" / fmt::format("vphone-{:04}", i))[mark] < times) return false;
        }
        return true;
    };
    Process first(world.command({(world.dir / "j.yaml").string()}));
    const auto line = first.wait_for_error_line("drover: run ");
    ASSERT_TRUE(line) << first.err();
    while (!all_have("step", 1) && !first.wait(std::chrono::milliseconds(1))) {}
    first.signal(SIGKILL);
    first.wait();
    Process resumed(world.command({"--resume", line->substr(line->rfind(' ') + 1)}));
    while (!all_have("step", 2) && !resumed.wait(std::chrono::milliseconds(1))) {}
    resumed.signal(SIGTERM);
    const auto ended = resumed.wait();
    ASSERT_TRUE(ended);
    EXPECT_EQ(ended->code, 128 + SIGTERM) << resumed.err();
    EXPECT_TRUE(all_have("end", 1)) << resumed.err();
    const auto rows = json::parse(resumed.out()).at("rows").as_array();
    EXPECT_EQ(rows.size(), static_cast<std::size_t>(kResumePhones));
}

TEST(JobResume, AnotherOutDirectoryHasWhatTheSecondPartPrinted) {
    World world;
    const auto other = world.dir.write("other/vphone-0001.out", "of a stranger").parent_path();
    kill_and_resume(world, true, other.string(), 0);
    EXPECT_EQ(read_file(other / "vphone-0001.out"), "two\n");
    EXPECT_EQ(read_file(world.dir / "out" / "vphone-0001.out"), "one\ntwo\n");
}

TEST(JobResume, WrongUseIsTold) {
    World world;
    EXPECT_THAT(run(world.command({"--resume", "none"})).err, HasSubstr("there is no run 'none' in "));
    EXPECT_THAT(run(world.command({"--resume", "../x"})).err, HasSubstr("'../x' is no run"));
    // Killed between making the file and its first line, or in the middle of that. Nothing had run, and nobody was told the name.
    for (const char* text : {"", "{\"journal\":1,\"run\":\"early\",\"fi"}) {
        const auto file = world.dir.write("drover/runs/early.jsonl", text);
        const auto early = run(world.command({"--resume", "early"}));
        EXPECT_EQ(early.code(), 2);
        EXPECT_EQ(early.err,
                  fmt::format("drover: {}: says nothing of run 'early': drover was killed before the run began, "
                              "or its disk failed and it said so; run the job anew\n",
                              file.string()));
    }
    EXPECT_THAT(run(world.command({})).err, HasSubstr("which job? drover run JOB.yaml"));
    const auto first = run(world.command({(world.dir / "j.yaml").string()}));
    const auto at = first.err.find("drover: run ") + 12;
    const auto id = first.err.substr(at, first.err.find('\n', at) - at);
    std::ofstream(world.dir / "j.yaml", std::ios::app) << "# changed\n";
    const auto changed = run(world.command({"--resume", id}));
    EXPECT_EQ(changed.code(), 2);
    EXPECT_THAT(changed.err, HasSubstr("has changed since run"));
    const auto retried = run(world.command({"--retry-failed", id}));
    EXPECT_EQ(retried.code(), first.code());
    EXPECT_THAT(retried.err,
                HasSubstr("has changed since run " + id + " began: the phones that failed get it as it is "));
    EXPECT_THAT(run(world.command({"--resume", id, (world.dir / "j.yaml").string()})).err,
                HasSubstr("leave out JOB.yaml, --on"));
}

}  // namespace
}  // namespace drover::test
