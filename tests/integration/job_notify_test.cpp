// Who is told how a run ended.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <boost/json/parse.hpp>

#include "support/drover.hpp"
#include "where.hpp"

namespace drover::test {
namespace {

using ::testing::HasSubstr;

class JobNotify : public ::testing::Test {
protected:
    Finished run_notified(std::string_view step, std::string_view notify, std::vector<std::string> more = {}) {
        const auto job =
            dir.write("j.yaml", fmt::format("version: 1\nname: n\nsteps:\n  - {}\nnotify:\n{}", step, notify));
        std::vector<std::string> args{"run", job.string(), "--inventory", phones.inventory()};
        args.insert(args.end(), more.begin(), more.end());
        return run_drover(std::move(args), {{"XDG_STATE_HOME", dir.path().string()}});
    }
    std::string path(std::string_view name) const { return (dir / name).string(); }

    SimProcess phones{2};
    TempDir dir;
};

TEST_F(JobNotify, TellsHowItEndedAfterTheReports) {
    const auto line = fmt::format(
        "  - run: {{shell: 'test -s {0}/r.json && echo \"$DROVER_JOB $DROVER_OK $DROVER_FAILED $DROVER_EXIT_CODE\" "
        ">>{0}/told'}}\n"
        "  - {{when: success, run: [touch, {0}/success]}}\n"
        "  - {{when: failure, run: [touch, '{0}/a failure']}}\n",
        dir.path().string());
    const auto failed =
        run_notified("{run: exit 3, if: \"instance == 'vphone-0002'\"}", line, {"--report", "json=" + path("r.json")});
    EXPECT_EQ(failed.code(), 10) << failed.err;
    EXPECT_EQ(read_file(dir / "told"), "n 1 1 10\n");
    EXPECT_FALSE(std::filesystem::exists(dir / "success"));
    EXPECT_TRUE(std::filesystem::exists(dir / "a failure"));
    const auto good = run_notified("run: 'true'", line, {"--report", "json=" + path("r.json")});
    EXPECT_EQ(good.code(), 0) << good.err;
    EXPECT_EQ(read_file(dir / "told"), "n 1 1 10\nn 2 0 0\n");
    EXPECT_TRUE(std::filesystem::exists(dir / "success"));
}

TEST_F(JobNotify, AFailingOneIsToldAndChangesNothing) {
    const auto done = run_notified("run: 'true'",
                                   "  - run: {shell: 'echo no network >&2; exit 7'}\n  - run: [/there/is/none]\n"
                                   "  - {run: {shell: 'sleep 60 & sleep 60'}, timeout: 100ms}\n  - run: [touch, " +
                                       path("last") + "]\n");
    EXPECT_EQ(done.code(), 0);
    EXPECT_THAT(done.err, HasSubstr("drover: notify[0] (sh): exit code 7: no network"));
    EXPECT_THAT(done.err, HasSubstr("drover: notify[1] (/there/is/none): "));
    EXPECT_THAT(done.err, HasSubstr("drover: notify[2] (sh): not done within 100ms"));
    EXPECT_TRUE(std::filesystem::exists(dir / "last"));
}

TEST_F(JobNotify, IsInThePlan) {
    const auto job =
        dir.write("j.yaml", "version: 1\nsteps:\n  - run: x\nnotify:\n  - {when: failure, run: [mail, 'a b']}\n");
    const auto text = run_drover({"plan", job.string(), "--inventory", phones.inventory()});
    EXPECT_THAT(text.out, HasSubstr("in the end, on failure, on this host within 30s:\n       'mail' 'a b'\n"));
    const auto as_json = run_drover({"plan", job.string(), "--inventory", phones.inventory(), "--json"});
    const auto told = boost::json::parse(as_json.out).at("notify").at(0);
    EXPECT_EQ(told.at("when").as_string(), "failure");
    EXPECT_EQ(told.at("timeout_ms").as_int64(), 30'000);
}

}  // namespace
}  // namespace drover::test
