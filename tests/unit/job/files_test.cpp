// The job files of tests/jobs: what is accepted, and the exact words about each that is not.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "drover/job.hpp"
#include "job/schema.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"
#include "where.hpp"

namespace drover::job {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> files_in(const fs::path& dir) {
    std::vector<fs::path> out;
    for (const auto& entry : fs::directory_iterator(dir)) {
        if (entry.path().extension() == ".yaml") out.push_back(entry.path());
    }
    std::sort(out.begin(), out.end());
    return out;
}

std::string told_of(const fs::path& file) {
    std::string out;
    const auto job = Job::load(file);
    if (job) return "(accepted)\n";
    for (const auto& error : job.error()) out += error.message + "\n";
    return out;
}

class JobFiles : public testing::Test {
protected:
    // Messages name files as they were given: from the top of the repository.
    void SetUp() override { fs::current_path(DROVER_SOURCE_DIR); }
};

TEST_F(JobFiles, EachBadOneIsToldExactly) {
    const auto files = files_in("tests/jobs/bad");
    EXPECT_GE(files.size(), 60U);
    // "FILE" alone on a line, then what is said of it, indented.
    std::string all;
    for (const auto& file : files) {
        all += file.filename().string() + "\n";
        std::string_view rest;
        const auto told = told_of(file);
        for (rest = told; !rest.empty(); rest.remove_prefix(rest.find('\n') + 1))
            all += fmt::format("  {}\n", rest.substr(0, rest.find('\n')));
    }
    const auto expected = test::read_file("tests/jobs/bad/expected.txt");
    if (all == expected) return;
    const auto actual = fs::path(testing::TempDir()) / "bad-jobs-actual.txt";
    std::FILE* out = std::fopen(actual.c_str(), "w");
    std::fputs(all.c_str(), out);
    std::fclose(out);
    const auto diff = test::run({.argv = {"diff", "-u", "tests/jobs/bad/expected.txt", actual.string()}});
    ADD_FAILURE() << diff.out;
}

TEST_F(JobFiles, GoodOnesAreGood) {
    for (const auto* dir : {"tests/jobs/good", "config/jobs"}) {
        for (const auto& file : files_in(dir)) {
            const auto job = Job::load(file);
            EXPECT_TRUE(job) << told_of(file);
        }
    }
}

TEST_F(JobFiles, TheSchemaInConfigIsCurrent) {
    EXPECT_EQ(test::read_file("config/schema/job.schema.json"), job_schema())
        << "run: drover schema >config/schema/job.schema.json";
}

TEST_F(JobFiles, AValidatorAgreesWithTheParser) {
    constexpr int kSkipped = 77;
    const auto done =
        test::run({.argv = {"python3", "tests/jobs/check_schema.py", "config/schema/job.schema.json", "tests/jobs/good",
                            "config/jobs", "--", "tests/jobs/bad", "tests/jobs/bad/beyond-schema.txt"}});
    if (done.code() == kSkipped) GTEST_SKIP() << done.out;
    EXPECT_EQ(done.code(), 0) << done.out << done.err;
}

}  // namespace
}  // namespace drover::job
