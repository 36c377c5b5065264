// Twelve steps with retry, if, register, finally, rollout and artifacts on a hundred phones, some of them broken: killed and taken
// up again.
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

constexpr std::size_t kMarkedPhones = 100;
constexpr std::size_t kMarkBytes = std::string_view("vphone-0001 a\n").size();
// Hundreds of programs of this host, each forked from a process that a sanitizer has made large: longer than the job may take.
constexpr std::chrono::milliseconds kResumedMax{180'000};
const std::string kMarkedJob = DROVER_SOURCE_DIR "/tests/jobs/twelve-marked-steps.yaml";

std::size_t marks_in(const std::filesystem::path& file) {
    std::error_code error;
    const auto size = std::filesystem::file_size(file, error);
    return error ? 0 : size / kMarkBytes;
}

std::map<std::string, int> mark_lines(const std::filesystem::path& file) {
    std::map<std::string, int> out;
    std::ifstream in(file);
    for (std::string line; std::getline(in, line);) ++out[line];
    return out;
}

// As text for an EXPECT: what is missing is said, not thrown.
std::string text_of(const std::filesystem::path& file) {
    std::error_code error;
    if (!std::filesystem::is_regular_file(file, error)) return "there is no " + file.string() + ": " + error.message();
    return read_file(file);
}

json::array rows_of(const std::string& document) {
    std::error_code error;
    const auto value = json::parse(document, error);
    if (error) ADD_FAILURE() << "no JSON document (" << error.message() << "): '" << document.substr(0, 1000) << "'";
    const auto* object = value.if_object();
    const auto* rows = object ? object->if_contains("rows") : nullptr;
    const auto* array = rows ? rows->if_array() : nullptr;
    return array ? *array : json::array();
}

bool is_conditional(std::string_view name) { return name == "never" || name == "some fail"; }

// What a row says of its steps, and what they left behind.
void expect_true_story(const json::value& row, const std::map<std::string, int>& marks) {
    const std::string id(row.at("instance_id").as_string());
    SCOPED_TRACE(id + ": " + std::string(row.at("error_msg").as_string()));
    bool failed = false;
    for (const auto& step : row.at("steps").as_array()) {
        const std::string name(step.at("name").as_string());
        const std::string status(step.at("status").as_string());
        const bool interrupted = step.at("error_code").as_string() == "DROVER.5002";
        if (status == "skipped" && name != "mark z")
            EXPECT_TRUE(failed || is_conditional(name)) << name << " was missed";
        if (status == "failed") failed = true;
        if (!name.starts_with("mark ")) continue;
        const auto found = marks.find(id + " " + name.back());
        const int times = found == marks.end() ? 0 : found->second;
        EXPECT_LE(times, 1) << name << " ran twice";
        if (interrupted) continue;  // whether it ran, nobody knows
        EXPECT_EQ(times, status == "skipped" ? 0 : 1) << name << ": " << status;
    }
    EXPECT_EQ(row.at("error_code").as_string() != "", failed);
    EXPECT_FALSE(marks.contains(id + " n"));
}

TEST(JobResume, TwelveStepsOnAHundredPhonesKilledAtRandomMoments) {
    const auto seed = std::random_device()();
    std::mt19937 random(seed);
    const SimProcess sim(kMarkedPhones, {"--profile", DROVER_SOURCE_DIR "/tests/jobs/some-broken.yaml", "--seed", "7"});
    for (unsigned round = 0; round < rounds(5); ++round) {
        SCOPED_TRACE(fmt::format("seed {} round {}", seed, round));
        const TempDir dir;
        const auto marks = dir / "marks";
        const auto command = [&](std::vector<std::string> args) {
            for (const auto& more : {std::string("--inventory"), sim.inventory(), std::string("--output"),
                                     std::string("json"), std::string("--artifacts"), (dir / "artifacts").string()})
                args.push_back(more);
            return drover_command(std::move(args),
                                  {{"XDG_STATE_HOME", dir.path().string()}, {"MARKS", marks.string()}});
        };
        // Most phones leave four marks each.
        const auto wanted = 1 + random() % (3 * kMarkedPhones);
        Process first(command({"run", kMarkedJob}));
        const auto line = first.wait_for_error_line("drover: run ");
        ASSERT_TRUE(line) << first.err();
        while (marks_in(marks) < wanted && !first.wait(std::chrono::milliseconds(1))) {}
        first.signal(SIGKILL);
        first.wait();
        const auto second = run(command({"run", "--resume", line->substr(line->rfind(' ') + 1)}), kResumedMax);
        SCOPED_TRACE(
            fmt::format("killed at {} marks; resumed: exit code {}, stderr:\n{}", wanted, second.code(), second.err));
        const auto rows = rows_of(second.out);
        ASSERT_EQ(rows.size(), kMarkedPhones);
        const auto lines = mark_lines(marks);
        std::size_t good = 0;
        for (const auto& row : rows) {
            expect_true_story(row, lines);
            if (row.at("error_code").as_string() != "") continue;
            const std::string id(row.at("instance_id").as_string());
            EXPECT_EQ(text_of(dir / "artifacts" / id / "12-last" / "stdout"), id + " is done\n");
            ++good;
        }
        EXPECT_GE(good, 30U);
    }
}

}  // namespace
}  // namespace drover::test
