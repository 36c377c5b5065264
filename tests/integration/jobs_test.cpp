// The jobs of config/jobs in a real shell, on phones of today and on old ones without exit codes in their protocol.
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "support/drover.hpp"
#include "where.hpp"

namespace drover::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Finished run_job(const SimProcess& sim, const std::string& job, std::vector<std::string> more = {}) {
    std::vector<std::string> args{"run", job, "--inventory", sim.inventory(), "--timeout", "60s", "--output", "fold"};
    args.insert(args.end(), more.begin(), more.end());
    return run_drover(std::move(args));
}

void expect_all_jobs_run(const SimProcess& sim) {
    std::size_t count = 0;
    const TempDir dir;
    std::filesystem::copy(DROVER_SOURCE_DIR "/config/jobs", dir / "jobs");
    dir.write("jobs/app-debug.apk", "package=com.example.app\n");
    for (const auto& entry : std::filesystem::directory_iterator(dir / "jobs")) {
        if (entry.path().extension() != ".yaml") continue;
        const auto done = run_job(sim, entry.path().string(), {"--artifacts", (dir / "artifacts").string()});
        EXPECT_EQ(done.code(), 0) << entry.path() << "\n" << done.out << done.err;
        ++count;
    }
    EXPECT_GE(count, 5U);
    EXPECT_THAT(read_file(dir / "artifacts/vphone-0002/07-result/result.txt"), HasSubstr(" smoke-test.yaml"));
    EXPECT_THAT(read_file(dir / "artifacts/vphone-0001/01-log/logcat.txt"), HasSubstr("vphone-0001 is up"));
}

TEST(Jobs, ThoseInConfigRunOnModernPhones) {
    const SimProcess sim(2);
    expect_all_jobs_run(sim);
    const auto hello = run_job(sim, DROVER_SOURCE_DIR "/config/jobs/hello.yaml");
    EXPECT_THAT(hello.out, HasSubstr("Hello from a Virtual Phone with Android 14\nthe shell works\n"));
    EXPECT_THAT(hello.out, HasSubstr("vphone-[0001-0002] (2)"));
}

TEST(Jobs, ThoseInConfigRunOnOldPhones) {
    const SimProcess sim(2, {"--profile", DROVER_SOURCE_DIR "/devices/profiles/old.yaml"});
    expect_all_jobs_run(sim);
}

TEST(Jobs, ValuesReachTheShellAsWords) {
    const SimProcess sim(1);
    const TempDir dir;
    const std::string job = (dir / "job.yaml").string();
    std::ofstream(job) << "version: 1\n"
                          "vars: {nasty: \"it's $(echo run) `echo run` \\\"x\\\" ; echo run\"}\n"
                          "env: {NASTY: '{{ nasty }}', WHO: '{{ instance }}'}\n"
                          "steps:\n"
                          "  - run: printf '<%s>' {{ nasty }} \"$NASTY\" \"$WHO\"\n";
    const auto done = run_job(sim, job);
    EXPECT_EQ(done.code(), 0) << done.err;
    const std::string nasty = "<it's $(echo run) `echo run` \"x\" ; echo run>";
    EXPECT_THAT(done.out, HasSubstr(nasty + nasty + "<vphone-0001>"));
}

TEST(Jobs, AMissingLabelRunsNothingAnywhere) {
    const SimProcess sim(2);
    const TempDir dir;
    const std::string job = (dir / "job.yaml").string();
    std::ofstream(job) << "version: 1\nsteps:\n  - run: echo it ran\n  - run: echo {{ labels.rack }}\n";
    const auto done = run_job(sim, job);
    EXPECT_EQ(done.code(), 2);
    EXPECT_THAT(done.out + done.err, HasSubstr("no value for {{ labels.rack }} on 2 of 2 phones: vphone-[0001-0002]"));
    EXPECT_THAT(done.out, Not(HasSubstr("it ran")));
}

// Not even the inventory is read.
TEST(Jobs, ABadFileSendsNothing) {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(DROVER_SOURCE_DIR "/tests/jobs/bad")) {
        if (entry.path().extension() != ".yaml") continue;
        const auto done = run_drover({"run", entry.path().string(), "--inventory", "/no/such/inventory.yaml"});
        EXPECT_EQ(done.code(), 2) << entry.path();
        EXPECT_EQ(done.out, "") << entry.path();
        EXPECT_THAT(done.err, Not(HasSubstr("/no/such/inventory.yaml"))) << entry.path();
        ++count;
    }
    EXPECT_GE(count, 60U);
}

}  // namespace
}  // namespace drover::test
