// Steps that move files, on fake phones: their turns, their limits, and a phone that lies.
#include <gmock/gmock.h>

#include "job/local_path.hpp"
#include "unit/job/job_fixture.hpp"

namespace drover::test {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using namespace std::chrono_literals;

class FileSteps : public testing::Test {
protected:
    explicit FileSteps(std::size_t loops = 2) : fleet(2, loops) {}
    std::shared_ptr<job::RunShared> shared(const Job& job, Limits of_steps = {}) {
        auto made = shared_of(job, of_steps);
        made->files.emplace(job::FileGround{disk, turns, limits, std::make_shared<transfer::FileDigests>(),
                                            dir / "kept", job.step_directories()});
        return made;
    }
    Rows run(const Job& job, Limits of_steps = {}) {
        Rows rows;
        dispatch::dispatch(request_of(fleet, shared(job, of_steps)), rows)->wait();
        return rows;
    }
    std::vector<std::string> opened() {
        std::vector<std::string> all;
        for (std::size_t i = 0; i < fleet.phones.size(); ++i) {
            fleet.at(
                i, [&](FakeConnector& c) { all.insert(all.end(), c.carrier.opened.begin(), c.carrier.opened.end()); });
        }
        return all;
    }
    // A push that never ends, until so many phones have begun it.
    void stop_when_opened(int phones) {
        Event asked;
        for (std::size_t i = 0; i < 2; ++i) {
            fleet.at(i, [&](FakeConnector& c) {
                c.carrier.behave = FakeCarrier::Behave::opens_only;
                c.carrier.before_answer = [&](FakeCarrier&, std::string_view) { asked.add(); };
            });
        }
        Rows rows;
        const auto call = dispatch::dispatch(request_of(fleet, shared(job_of(push()))), rows);
        asked.wait_for(phones);
        call->stop(Error(Code::cancelled, "enough"));
        call->wait();
        ASSERT_EQ(rows.rows.size(), 2U);
        for (const Row& row : rows.rows) EXPECT_EQ(row.code, Code::cancelled) << row.error_msg;
        for (std::size_t i = 0; i < 2; ++i) fleet.at(i, [](FakeConnector& c) { c.carrier.before_answer = nullptr; });
    }
    std::string push(std::string_view more = "") {
        return fmt::format("- {{push: {{from: {}, to: /sdcard/}}{}}}\n", dir.write("f", "text").string(), more);
    }

    TempDir dir;
    FakeFleet fleet;
    dispatch::Turns turns;
    TransferTurns limits{1, 1};
    WorkPool disk{2};  // ends before the loops it reports to
};

TEST_F(FileSteps, TheWaitForATurnIsNoSilenceAndEndsWithTheStepsTime) {
    const auto mine = turns.ask("", {1, 1}, [] {});
    Limits of_steps;
    of_steps.silence = 1ms;
    for (const Row& row : run(job_of(push(", timeout: 50ms")), of_steps).rows) {
        EXPECT_EQ(row.code, Code::timeout);
        EXPECT_THAT(row.error_msg, HasSubstr("not done within 50ms: too many other transfers were under way"));
        EXPECT_EQ(row.attempts, 0U);
    }
    EXPECT_THAT(opened(), IsEmpty());
    EXPECT_EQ(turns.taken(), 1U);
}

// Both phones on one loop: a stop then reaches them together. Else the one that is stopped first gives its turn to the other.
class FileStepsStopped : public FileSteps {
protected:
    FileStepsStopped() : FileSteps(1) {}
};

TEST_F(FileStepsStopped, EndsTheOneAtWorkAndTheOneThatWaits) {
    stop_when_opened(1);
    EXPECT_THAT(opened(), testing::ElementsAre("sync:")) << "the other one had no turn";
    EXPECT_EQ(turns.taken(), 0U);
}

TEST_F(FileStepsStopped, PhonesOnOneHubWaitForEachOther) {
    limits = {8, 1};
    fleet.at(0, [](FakeConnector& c) { c.usb = "1-4.1"; });
    fleet.at(1, [](FakeConnector& c) { c.usb = "1-4.2"; });
    stop_when_opened(1);
    EXPECT_THAT(opened(), testing::ElementsAre("sync:"));
    fleet.at(1, [](FakeConnector& c) { c.usb = "1-5.2"; });
    stop_when_opened(2);
    EXPECT_EQ(opened().size(), 3U);
}

TEST_F(FileSteps, AnAbsentPhoneNeedsNoTurnToSaySo) {
    const auto mine = turns.ask("", {1, 1}, [] {});
    for (std::size_t i = 0; i < 2; ++i) fleet.at(i, [](FakeConnector& c) { c.behave = FakeConnector::Behave::absent; });
    Limits of_steps;
    of_steps.connect = 20ms;
    for (const Row& row : run(job_of(push()), of_steps).rows)
        EXPECT_EQ(row.code, Code::phone_not_found) << row.error_msg;
}

// The fake speaks another protocol on every stream.
TEST_F(FileSteps, APhoneThatLiesIsOneErrorAndLeavesNothing) {
    const auto out = dir / "out";
    const auto job = job_of(fmt::format(
        "- {{name: all, pull: {{from: /sdcard/x, to: {0}}}, continue-on-error: true, if: \"instance == 'p0'\"}}\n"
        "- run: out fine\n",
        out.string()));
    for (std::size_t i = 0; i < 2; ++i) fleet.at(i, [](FakeConnector& c) { c.carrier.output = "fine\n"; });
    for (const Row& row : run(job).rows) {
        EXPECT_EQ(row.code, row.instance_id == "p0" ? Code::protocol_error : Code::ok) << row.error_msg;
        EXPECT_EQ(row.execute_msg, row.instance_id == "p0" ? "" : "fine\n");
    }
    EXPECT_TRUE(std::filesystem::is_empty(out));
    EXPECT_EQ(turns.taken(), 0U);
}

TEST_F(FileSteps, AFileOfThisHostThatIsMissingIsTheStepsFailure) {
    const auto rows = run(job_of("- {push: {from: /nonexistent/f, to: /sdcard/}, continue-on-error: true}\n"
                                 "- {install: /nonexistent/app.apk, retry: {max: 1, backoff: 1ms, on: [host]}}\n"))
                          .rows;
    ASSERT_EQ(rows.size(), 2U);
    EXPECT_EQ(told(rows[0]), "step 1:DROVER.4006+ step 2:DROVER.4006 ");
    EXPECT_THAT(rows[0].error_msg, HasSubstr("/nonexistent/app.apk: No such file or directory (step 'step 2')"));
    EXPECT_THAT(opened(), IsEmpty());
}

TEST_F(FileSteps, TheLogOfAWholeJobIsClosedWithIt) {
    const auto head = fmt::format("- {{logcat: {{whole-job: true, to: {}}}}}\n", (dir / "out").string());
    play_on(fleet);
    for (const Row& row : run(job_of(head + "- run: exit 3\n")).rows) {
        EXPECT_EQ(row.error_msg, "Run command failed: exit code 3 (step 'step 2')");
        EXPECT_EQ(told(row), "step 1: step 2:CPS.01913 ");
    }
    Event hanging;
    for (std::size_t i = 0; i < 2; ++i) {
        fleet.at(i, [&](FakeConnector& c) {
            EXPECT_EQ(c.carrier.open_now(), 0U);
            c.carrier.before_answer = [&](FakeCarrier& carrier, std::string_view service) {
                play(carrier, service);
                if (service.ends_with(":hang")) hanging.add();
            };
        });
    }
    Rows rows;
    const auto call = dispatch::dispatch(request_of(fleet, shared(job_of(head + "- run: hang\n"))), rows);
    hanging.wait_for(2);
    call->stop(Error(Code::cancelled, "enough"));
    call->wait();
    for (const Row& row : rows.rows) EXPECT_EQ(row.code, Code::cancelled) << row.error_msg;
    for (std::size_t i = 0; i < 2; ++i) fleet.at(i, [](FakeConnector& c) { EXPECT_EQ(c.carrier.open_now(), 0U); });
}

// api.md §4: activity. A fake that speaks another protocol fails them all.
TEST_F(FileSteps, TheStatusShowsWhatIsDoneWithThePhonesData) {
    const auto shows = [&](const std::string& step, FakeCarrier::Behave behave) {
        std::vector<fleet::Activity> seen;
        fleet.at(0, [&](FakeConnector& c) {
            c.carrier.behave = behave;
            c.carrier.output = "fine\n";
            c.carrier.before_answer = [&](FakeCarrier&, std::string_view) {
                seen.push_back(fleet.phones[0]->state().activity);
            };
        });
        const auto job = job_of(fmt::format("- {{{}, timeout: 50ms, if: \"instance == 'p0'\"}}\n", step));
        run(job);
        fleet.at(0, [&](FakeConnector& c) {
            seen.push_back(fleet.phones[0]->state().activity);
            c.carrier.before_answer = nullptr;
        });
        return seen;
    };
    using fleet::Activity;
    using testing::ElementsAre;
    const auto from = dir.write("f", "text").string(), out = (dir / "out").string();
    const auto put = fmt::format("push: {{from: {}, to: /sdcard/}}", from);
    const auto get = fmt::format("pull: {{from: /sdcard/x, to: {}}}", out);
    const auto log = fmt::format("logcat: {{to: {}}}", out);
    EXPECT_THAT(shows(put, FakeCarrier::Behave::exits), ElementsAre(Activity::restoring, Activity::restore_failed));
    EXPECT_THAT(shows(get, FakeCarrier::Behave::exits), ElementsAre(Activity::backing_up, Activity::backup_failed));
    EXPECT_THAT(shows(log, FakeCarrier::Behave::opens_only), ElementsAre(Activity::streaming, Activity::idle));
}

TEST_F(FileSteps, PathsThatAPhoneSays) {
    const auto expand = [](std::string_view written, std::string said) {
        job::NameTable names;
        names.outputs.emplace("o", 0);
        const auto text = job::Template::parse(written, job::Template::Use::plain, names);
        const std::optional<job::Output> output = job::Output{std::move(said), {}, {}, Code::ok, false, 0};
        Instance phone;
        phone.id = "p0";
        phone.serial = "../serial";
        const job::Scope scope{phone, {}, {&output, 1}, {}, {}, "", job::Standing::good};
        const auto path = job::LocalPath(*text, "/jobs").expand(scope);
        return path ? path->string() : "";
    };
    EXPECT_EQ(expand("a/{{ outputs.o.stdout }}/b", "x"), "/jobs/a/x/b");
    EXPECT_EQ(expand("../a/{{ instance }}", ""), "/a/p0");
    EXPECT_EQ(expand("/abs/{{ outputs.o.stdout }}", "x y"), "/abs/x y");
    EXPECT_EQ(expand("a/{{ outputs.o.stdout }}", ".."), "");
    EXPECT_EQ(expand("../{{ outputs.o.stdout }}", "b/../../../c"), "");
    EXPECT_EQ(expand("{{ outputs.o.stdout }}", "/etc"), "");
    EXPECT_EQ(expand("{{ serial }}", ""), "");
    EXPECT_EQ(expand("{{ outputs.o.stdout }}", ""), "");
}

}  // namespace
}  // namespace drover::test
