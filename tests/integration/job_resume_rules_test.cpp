// A run that is taken up keeps to its strategy: what failed before the crash counts.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <boost/json/parse.hpp>
#include <filesystem>
#include <fstream>

#include "job/journal.hpp"
#include "support/drover.hpp"
#include "where.hpp"

namespace drover::test {
namespace {

namespace json = boost::json;
using ::testing::ElementsAre;

constexpr std::size_t kRulePhones = 6;

// A run of a job whose phone 1 has failed, and whose phone 2 has done the first of two steps, when drover was killed.
class ResumeRules : public ::testing::Test {
protected:
    // What each phone's row says, in order, and who ran the second step.
    std::vector<std::string> resume(const std::string& strategy, bool second_began = true) {
        std::filesystem::create_directory(dir / "marks");
        const auto file = (dir / "j.yaml").string();
        const auto mark = [&](const char* name) {
            return fmt::format("host-run: {{shell: 'echo {} >>{}/$DROVER_INSTANCE'}}", name, (dir / "marks").string());
        };
        std::ofstream(file) << fmt::format(
            "version: 1\nstrategy: {}\nsteps:\n  - run: echo one\n  - {}\nfinally:\n  - {}\n", strategy, mark("two"),
            mark("end"));
        job::RunHead head{"run-1", file, *job::fingerprint_of(file, {}), {}};
        for (std::size_t i = 1; i <= kRulePhones; ++i) head.phones.push_back(fmt::format("vphone-{:04}", i));
        const auto journal = *job::Journal::create(dir / "drover/runs", head);
        Row failed;
        failed.instance_id = head.phones[0];
        failed.code = Code::command_failed;
        journal->row(0, failed);
        job::EndedStep ended;
        ended.result.name = "step 1";
        ended.opened = true;
        if (second_began) journal->end(1, 0, ended);
        journal->close();
        const auto done = run_drover({"run", "--resume", "run-1", "--inventory", sim.inventory(), "--output", "json"},
                                     {{"XDG_STATE_HOME", dir.path().string()}});
        std::vector<std::string> codes;
        const auto document = json::parse(done.out);
        for (const auto& row : document.at("rows").as_array()) {
            codes.emplace_back(row.at("error_code").as_string());
            if (codes.back() == "DROVER.5005") why = std::string(row.at("error_msg").as_string());
        }
        return codes;
    }
    std::string marks_of(const char* id) const { return read_file(dir / "marks" / id); }
    std::size_t marked() const {
        std::size_t count = 0;
        for ([[maybe_unused]] const auto& file : std::filesystem::directory_iterator(dir / "marks")) ++count;
        return count;
    }

    SimProcess sim{kRulePhones};
    TempDir dir;
    std::string why;
};

TEST_F(ResumeRules, ARolloutCountsWhatHadFailedAndFinishesItsBatch) {
    EXPECT_THAT(resume("{rollout: {serial: [2, 100%], max-fail: 0}}"),
                ElementsAre("CPS.0191", "", "DROVER.5005", "DROVER.5005", "DROVER.5005", "DROVER.5005"));
    EXPECT_EQ(marks_of("vphone-0002"), "two\nend\n");
    EXPECT_EQ(marked(), 1U);
    EXPECT_EQ(why, "The run stopped before this phone was done: rollout: 1 of 6 phones failed, 0 allowed");
}

TEST_F(ResumeRules, ANewBatchIsNotBegun) {
    EXPECT_THAT(resume("{rollout: {serial: [1, 100%], max-fail: 0}}", false),
                ElementsAre("CPS.0191", "DROVER.5005", "DROVER.5005", "DROVER.5005", "DROVER.5005", "DROVER.5005"));
    EXPECT_EQ(marked(), 0U);
}

TEST_F(ResumeRules, SharesAreOfAllPhones) {
    // A third of six phones may fail; of the five that are left it would be one as well, but batches would be other ones.
    EXPECT_THAT(resume("{rollout: {serial: [50%, 100%], max-fail: 20%}}"), ElementsAre("CPS.0191", "", "", "", "", ""));
    EXPECT_EQ(marked(), 5U);
}

TEST_F(ResumeRules, FailFastLetsThemCleanUpOnly) {
    EXPECT_THAT(resume("{fail-fast: true}"),
                ElementsAre("CPS.0191", "DROVER.5005", "DROVER.5005", "DROVER.5005", "DROVER.5005", "DROVER.5005"));
    EXPECT_EQ(marks_of("vphone-0002"), "end\n");
    EXPECT_EQ(marked(), 1U);
}

}  // namespace
}  // namespace drover::test
