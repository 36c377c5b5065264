// Steps of jobs that move files, as people write them, on virtual phones: push, pull, install, uninstall, screenshot, logcat.
#include <gmock/gmock.h>

#include <boost/json/parse.hpp>

#include "support/drover.hpp"
#include "support/file_tree.hpp"

namespace drover::test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

class JobFileSteps : public ::testing::Test {
protected:
    std::vector<std::string> run_args(const SimProcess& phones, std::string_view steps, std::vector<std::string> more) {
        const auto job = dir.write("jobs/j.yaml", fmt::format("version: 1\nsteps:\n{}", steps));
        std::vector<std::string> args{"run",  job.string(),        "--inventory", phones.inventory(), "--timeout",
                                      "120s", "--connect-timeout", "60s",         "--output",         "lines"};
        args.insert(args.end(), more.begin(), more.end());
        return args;
    }
    EnvChanges env() const { return {{"XDG_STATE_HOME", (dir / "state").string()}}; }
    Finished run_job(const SimProcess& phones, std::string_view steps, std::vector<std::string> more = {}) {
        return run_drover(run_args(phones, steps, std::move(more)), env());
    }
    Finished run_job_on_full_disk(const SimProcess& phones, std::string_view steps) {
        return run(with_small_files(drover_command(run_args(phones, steps, {}), env()), 200));
    }
    std::string path(std::string_view name) const { return (dir / name).string(); }

    TempDir dir;
};

TEST_F(JobFileSteps, ThereAndBackIntoTheArtifacts) {
    const SimProcess phones(3);
    make_tree(dir, "jobs/tree");
    dir.write("jobs/app.apk", "package=com.example.app\n" + noise(100'000));
    const auto done = run_job(phones,
                              "  - {name: there, push: {from: [tree, app.apk], to: /sdcard/}}\n"
                              "  - {name: back, pull: [/sdcard/tree, /sdcard/app.apk]}\n"
                              "  - {name: app, install: {apk: app.apk, replace: true, grant: true}}\n"
                              "  - {name: is it, run: pm path com.example.app}\n"
                              "  - {name: look, screenshot: true}\n"
                              "  - {name: log, logcat: {time: 1ms}}\n"
                              "finally:\n"
                              "  - {name: log so far, logcat: true}\n"
                              "  - {name: away, uninstall: com.example.app}\n",
                              {"--artifacts", path("kept"), "--report", "json=" + path("r.json")});
    ASSERT_EQ(done.code(), 0) << done.out << done.err;
    EXPECT_THAT(done.out, HasSubstr("vphone-0003: 10 files, 3"));
    EXPECT_THAT(done.out, HasSubstr("/vphone-0001/data/app/com.example.app/base.apk"));
    for (const std::string phone : {"vphone-0001", "vphone-0002", "vphone-0003"}) {
        const auto kept = dir / "kept" / phone;
        EXPECT_EQ(read_tree(kept / "02-back/tree", false), read_tree(dir / "jobs/tree", false));
        EXPECT_EQ(read_file(kept / "02-back/app.apk"), read_file(dir / "jobs/app.apk"));
        EXPECT_THAT(read_file(kept / "05-look/screenshot.png"), ::testing::StartsWith("\x89PNG\r\n"));
        EXPECT_THAT(read_file(kept / "07-log-so-far/logcat.txt"), HasSubstr(phone + " is up"));
        EXPECT_THAT(read_file(kept / "02-back/stdout"), HasSubstr("files, "));
    }
    const auto report = boost::json::parse(read_file(dir / "r.json"));
    const auto& steps = report.at("rows").at(1).at("steps");
    EXPECT_EQ(steps.at(1).at("files").as_array(),
              (boost::json::array{"vphone-0002/02-back/tree", "vphone-0002/02-back/app.apk"}));
    EXPECT_EQ(steps.at(4).at("files").as_array(), (boost::json::array{"vphone-0002/05-look/screenshot.png"}));
}

TEST_F(JobFileSteps, PathsAreBelowTheFolderOfTheJob) {
    const SimProcess phones(2);
    dir.write("jobs/vphone-0001.cfg", "one");
    dir.write("jobs/vphone-0002.cfg", "two");
    const auto done = run_job(phones,
                              "  - push: {from: '{{ instance }}.cfg', to: /sdcard/it.cfg, compress: lz4}\n"
                              "  - pull: {from: /sdcard/it.cfg, to: ../out/cfg}\n"
                              "  - screenshot: {to: '{{ instance }}/shots'}\n"
                              "  - logcat: {to: ../out/logs}\n");
    ASSERT_EQ(done.code(), 0) << done.out << done.err;
    EXPECT_EQ(read_file(dir / "out/cfg/vphone-0001/it.cfg"), "one");
    EXPECT_EQ(read_file(dir / "out/cfg/vphone-0002/it.cfg"), "two");
    EXPECT_TRUE(fs::exists(dir / "jobs/vphone-0002/shots/vphone-0002/screenshot.png"));
    EXPECT_TRUE(fs::exists(dir / "out/logs/vphone-0001/logcat.txt"));
}

TEST_F(JobFileSteps, WithoutAPlaceNothingRuns) {
    const SimProcess phones(1);
    const auto done = run_job(phones, "  - run: echo it ran\n  - {name: keep, pull: /sdcard/log}\n");
    EXPECT_EQ(done.code(), 2);
    EXPECT_THAT(done.out + done.err,
                HasSubstr("j.yaml:4:5: step 'keep' keeps a file and does not say where: give `to: "
                          "DIRECTORY`, or the job `artifacts: DIRECTORY`, or run it with --artifacts DIR"));
    EXPECT_THAT(done.out, Not(HasSubstr("it ran")));
}

TEST_F(JobFileSteps, AMissingFileIsOnePhonesErrorAndCanBeGoneOnFrom) {
    const SimProcess phones(2);
    dir.write("jobs/vphone-0002.cfg", "two");
    const auto missing =
        run_job(phones, "  - push: {from: '{{ instance }}.cfg', to: /sdcard/}\n  - run: echo went on\n");
    EXPECT_EQ(missing.code(), 20);
    EXPECT_THAT(missing.err, HasSubstr("jobs/vphone-0001.cfg: No such file or directory (step 'step 1')"));
    EXPECT_THAT(missing.out, HasSubstr("vphone-0002: went on"));
    EXPECT_THAT(missing.out, Not(HasSubstr("vphone-0001: went on")));
    const auto continued = run_job(phones,
                                   "  - {pull: {from: /sdcard/vphone-0002.cfg, to: ../out}, continue-on-error: true}\n"
                                   "  - run: echo went on\n");
    EXPECT_EQ(continued.code(), 0) << continued.err;
    EXPECT_THAT(continued.out, HasSubstr("vphone-0001: went on"));
    EXPECT_THAT(names_in(dir / "out"), UnorderedElementsAre("vphone-0002"));
    const auto rejected = dir.write("jobs/bad.apk", "reject=INSTALL_FAILED_OLDER_SDK\n");
    const auto refused = run_job(phones, "  - install: bad.apk\n");
    EXPECT_EQ(refused.code(), 10);
    EXPECT_THAT(refused.err, HasSubstr("Failure [INSTALL_FAILED_OLDER_SDK] (step 'step 1')"));
}

TEST_F(JobFileSteps, APhoneCannotLeadThemOutOfTheirDirectory) {
    const SimProcess phones(1, {"--profile", dir.write("evil.yaml",
                                                       "version: 1\nproperties: {ro.product.model: ../../evil, "
                                                       "ro.product.manufacturer: /tmp/evil}\n")
                                                 .string()});
    dir.write("jobs/f", "text");
    for (const std::string to : {"'out/{{ phone.model }}'", "'{{ outputs.maker.stdout }}'"}) {
        const auto done = run_job(phones, fmt::format("  - push: {{from: f, to: /sdcard/}}\n"
                                                      "  - {{run: getprop ro.product.manufacturer, register: maker}}\n"
                                                      "  - {{name: keep, pull: {{from: /sdcard/f, to: {}}}}}\n",
                                                      to));
        EXPECT_EQ(done.code(), 10) << done.err;
        EXPECT_THAT(done.err, HasSubstr("a value leads out of the directory that"));
    }
    EXPECT_THAT(names_in(dir / "jobs"), UnorderedElementsAre("f", "j.yaml"));
    const auto up = run_job(phones,
                            "  - {run: echo /sdcard/.., register: up}\n"
                            "  - pull: {from: '{{ outputs.up.stdout }}', to: out}\n");
    EXPECT_EQ(up.code(), 10);
    EXPECT_THAT(up.err, HasSubstr("/sdcard/..' does not end in a name"));
}

TEST_F(JobFileSteps, ALinkInThePlaceOfAPhonesDirectoryIsNotFollowed) {
    const SimProcess phones(2);
    dir.write("jobs/f", "text");
    fs::create_directories(dir / "jobs/out");
    fs::create_directories(dir / "elsewhere");
    fs::create_symlink(dir / "elsewhere", dir / "jobs/out/vphone-0001");
    const auto done = run_job(phones, "  - push: {from: f, to: /sdcard/}\n  - pull: {from: /sdcard/f, to: out}\n");
    EXPECT_EQ(done.code(), 20);
    EXPECT_THAT(done.err, HasSubstr("out/vphone-0001: Not a directory"));
    EXPECT_THAT(names_in(dir / "elsewhere"), IsEmpty());
    EXPECT_EQ(read_file(dir / "jobs/out/vphone-0002/f"), "text");
}

TEST_F(JobFileSteps, AFullDiskIsOneRowsErrorAndTheOthersGoOn) {
    const SimProcess phones(2);
    dir.write("jobs/vphone-0001", noise(400'000));
    dir.write("jobs/vphone-0002", "fits");
    const auto done = run_job_on_full_disk(phones,
                                           "  - push: {from: '{{ instance }}', to: /sdcard/file}\n"
                                           "  - pull: {from: /sdcard/file, to: out}\n"
                                           "  - run: echo went on\n");
    EXPECT_EQ(done.code(), 20) << done.err;
    EXPECT_THAT(done.err, HasSubstr("out/vphone-0001/file: File too large"));
    EXPECT_THAT(done.out, HasSubstr("vphone-0002: went on"));
    EXPECT_THAT(names_in(dir / "jobs/out"), UnorderedElementsAre("vphone-0002")) << "what came in part is gone";
    EXPECT_EQ(read_file(dir / "jobs/out/vphone-0002/file"), "fits");
}

TEST_F(JobFileSteps, ThePlanShowsThem) {
    const SimProcess phones(1);
    const auto job =
        dir.write("jobs/j.yaml",
                  "version: 1\nsteps:\n  - push: {from: ['my app.cfg', b], to: /sdcard/}\n"
                  "  - pull: {from: /sdcard/x, to: 'out/{{ phone.model }}'}\n"
                  "  - install: {apk: a.apk, replace: true, downgrade: true, grant: true}\n"
                  "  - uninstall: com.x\n  - screenshot: {to: out}\n  - logcat: {time: 5s, args: -b crash}\n");
    const auto plan = run_drover({"plan", job.string(), "--inventory", phones.inventory()}, env());
    EXPECT_EQ(plan.code(), 0) << plan.err;
    const auto jobs = path("jobs/");
    EXPECT_THAT(plan.out, HasSubstr("push '" + jobs + "my app.cfg' '" + jobs + "b' '/sdcard/'\n"));
    EXPECT_THAT(plan.out, HasSubstr("pull '/sdcard/x' into " + jobs + "out/{{ phone.model }}/vphone-0001\n"));
    EXPECT_THAT(plan.out, HasSubstr("install -r -d -g '" + jobs + "a.apk'\n"));
    EXPECT_THAT(plan.out, HasSubstr("pm uninstall com.x\n"));
    EXPECT_THAT(plan.out, HasSubstr("screencap -p, as screenshot.png into " + jobs + "out/vphone-0001\n"));
    EXPECT_THAT(plan.out,
                HasSubstr("logcat -b crash for 5s, as logcat.txt into the artifacts directory of this step\n"));
}

TEST_F(JobFileSteps, TheLogOfAWholeJobGoesOnThroughARestart) {
    const SimProcess phones(
        2, {"--profile", dir.write("quick.yaml", "version: 1\nabsent-time: 200ms\nboot-time: 200ms\n").string()});
    const auto until_begun = [&](const std::string& file) {
        return fmt::format("host-run: [sh, -c, 'until test -s {}/$DROVER_INSTANCE/01-log/{}; do sleep 0.05; done']",
                           path("kept"), file);
    };
    const auto done = run_job(phones,
                              fmt::format("  - {{name: log, logcat: {{whole-job: true, args: -b main}}}}\n"
                                          "  - {{name: before, {}}}\n"
                                          "  - {{name: again, reboot: true}}\n"
                                          "  - {{name: after, {}}}\n",
                                          until_begun("logcat.txt"), until_begun("logcat-2.txt")),
                              {"--artifacts", path("kept"), "--report", "json=" + path("r.json")});
    ASSERT_EQ(done.code(), 0) << done.out << done.err;
    const auto kept = dir / "kept/vphone-0002/01-log";
    EXPECT_THAT(names_in(kept), testing::IsSupersetOf({"logcat.txt", "logcat-2.txt"}));
    EXPECT_THAT(read_file(kept / "logcat.txt"), HasSubstr("vphone-0002 is up"));
    EXPECT_THAT(read_file(kept / "logcat-2.txt"), HasSubstr("vphone-0002 is up"));
    const auto report = boost::json::parse(read_file(dir / "r.json"));
    const auto& files = report.at("rows").at(1).at("steps").at(0).at("files").as_array();
    EXPECT_EQ(files.at(0), "vphone-0002/01-log/logcat.txt");
    EXPECT_GE(files.size(), 2U);
}

TEST_F(JobFileSteps, TheLogOfAKilledJobIsKeptAndGoesOnInAnotherFile) {
    const SimProcess phones(1);
    std::vector<std::string> args{"run",
                                  dir.write("jobs/log.yaml",
                                            "version: 1\nsteps:\n  - {name: log, logcat: {whole-job: true}}\n"
                                            "  - {name: long, idempotent: true, host-run: {shell: 'test -e " +
                                                path("go") + " || exec sleep 60'}}\n")
                                      .string(),
                                  "--inventory",
                                  phones.inventory(),
                                  "--artifacts",
                                  path("kept")};
    Process first(drover_command(args, env()));
    const auto line = first.wait_for_error_line("drover: run ");
    ASSERT_TRUE(line) << first.err();
    const auto log = dir / "kept/vphone-0001/01-log/logcat.txt";
    const auto is_there = [&] {
        return fs::exists(log) && read_file(log).find("vphone-0001 is up") != std::string::npos;
    };
    while (!is_there() && !first.wait(std::chrono::milliseconds(1))) {}
    first.signal(SIGKILL);
    first.wait();
    const auto before = read_file(log);
    EXPECT_THAT(before, HasSubstr("vphone-0001 is up"));
    EXPECT_THAT(names_in(log.parent_path()), testing::ElementsAre("logcat.txt"));
    dir.write("go", "");
    args[1] = "--resume";
    args.insert(args.begin() + 2, line->substr(line->rfind(' ') + 1));
    const auto second = run_drover(args, env());
    EXPECT_EQ(second.code(), 0) << second.out << second.err;
    EXPECT_EQ(read_file(log), before);
    EXPECT_THAT(names_in(log.parent_path()), UnorderedElementsAre("logcat-2.txt", "logcat.txt"));
}

TEST_F(JobFileSteps, TheLogOfAShortOrFailedJobIsThereToo) {
    const SimProcess phones(1);
    const auto done = run_job(phones, "  - logcat: {whole-job: true, to: out}\n  - run: exit 3\n");
    EXPECT_EQ(done.code(), 10) << done.err;
    EXPECT_THAT(done.err, HasSubstr("exit code 3 (step 'step 2')"));
    EXPECT_THAT(read_file(dir / "jobs/out/vphone-0001/logcat.txt"), HasSubstr("vphone-0001 is up"));
}

TEST_F(JobFileSteps, TheLogOfAWholeJobThatCannotBeWrittenFailsItsStepOnly) {
    const SimProcess phones(1);
    dir.write("jobs/out", "a file in the way");
    const auto done =
        run_job(phones, "  - {logcat: {whole-job: true, to: out}, continue-on-error: true}\n  - run: echo went on\n");
    EXPECT_EQ(done.code(), 0) << done.err;
    EXPECT_THAT(done.out, HasSubstr("went on"));
    const auto strict = run_job(phones, "  - logcat: {whole-job: true, to: out}\n  - run: echo went on\n");
    EXPECT_EQ(strict.code(), 20) << strict.err;
    EXPECT_THAT(strict.err, HasSubstr("out/vphone-0001: Not a directory (step 'step 1')"));
    EXPECT_THAT(strict.out, HasSubstr("went on"));
}

TEST_F(JobFileSteps, ABugReportIsWrittenAndPulled) {
    const SimProcess phones(2);
    const auto done = run_job(phones, "  - bugreport: {to: out}\n");
    ASSERT_EQ(done.code(), 0) << done.err;
    EXPECT_EQ(read_file(dir / "jobs/out/vphone-0002/bugreport.zip"), "not much of a report on vphone-0002\n");
    // It says where the report is, and that is not there.
    const auto none = run_job(phones,
                              "  - run: rm -rf /data/local/tmp && echo >/data/local/tmp\n"
                              "  - bugreport: {to: none}\n");
    EXPECT_EQ(none.code(), 10) << none.err;
    EXPECT_THAT(none.err, HasSubstr("FAIL:disk"));
    EXPECT_THAT(names_in(dir / "jobs/none/vphone-0001"), IsEmpty());
}

TEST_F(JobFileSteps, TheSameIsNotInstalledAgain) {
    const SimProcess phones(2);
    const auto steps =
        "  - install: {apk: [base.apk, split.apk], skip-same: com.example.app, replace: true}\n"
        "  - run: ls -l $(pm path com.example.app | sed 's/^package://') | wc -l\n";
    dir.write("jobs/base.apk", "package=com.example.app\n" + noise(30'000));
    dir.write("jobs/split.apk", noise(20'000));
    const auto first = run_job(phones, steps);
    ASSERT_EQ(first.code(), 0) << first.err;
    EXPECT_THAT(first.out, HasSubstr("vphone-0001: Success"));
    EXPECT_THAT(first.out, HasSubstr("vphone-0001: 2\n"));
    const auto again = run_job(phones, steps);
    ASSERT_EQ(again.code(), 0) << again.err;
    EXPECT_THAT(again.out, HasSubstr("vphone-0001: the same is installed already"));
    EXPECT_THAT(again.out, Not(HasSubstr("Success")));
    dir.write("jobs/split.apk", noise(20'000, 2));
    const auto changed = run_job(phones, steps);
    EXPECT_THAT(changed.out, HasSubstr("vphone-0002: Success"));
    const auto part = run_job(phones, "  - install: {apk: base.apk, skip-same: com.example.app}\n");
    EXPECT_THAT(part.out, HasSubstr("vphone-0002: Success")) << "one part less is not the same";
}

TEST_F(JobFileSteps, AFileThatIsMissingForSureIsToldBeforeAnythingRuns) {
    const SimProcess phones(2);
    const auto done = run_job(phones, "  - run: echo it ran\n  - {name: app, install: no-such.apk}\n");
    EXPECT_EQ(done.code(), 2);
    EXPECT_THAT(done.out + done.err, HasSubstr("j.yaml:4:5: step 'app' needs " + path("jobs/no-such.apk") +
                                               ", which is not there: No such file or directory"));
    EXPECT_THAT(done.out, Not(HasSubstr("it ran")));
    // A step before may make it, or it may not be needed.
    const auto made = run_job(phones, "  - {host-run: [sh, -c, 'echo made >\"$0\"', '" + path("jobs/made") +
                                          "'], if: \"instance == 'vphone-0001'\"}\n"
                                          "  - {push: {from: made, to: /sdcard/}, if: \"instance == 'vphone-0001'\"}\n"
                                          "  - {push: {from: never, to: /sdcard/}, if: failure()}\n");
    EXPECT_EQ(made.code(), 0) << made.err;
}

TEST_F(JobFileSteps, TheJobSaysWhereItsArtifactsGo) {
    const SimProcess phones(1);
    const auto job = dir.write("jobs/j.yaml",
                               "version: 1\nartifacts: ../kept\nsteps:\n  - {name: s, screenshot: true}\n"
                               "  - {name: r, run: echo hello}\n");
    const auto done = run_drover({"run", job.string(), "--inventory", phones.inventory(), "--timeout", "60s"}, env());
    ASSERT_EQ(done.code(), 0) << done.err;
    EXPECT_TRUE(fs::exists(dir / "kept/vphone-0001/01-s/screenshot.png"));
    EXPECT_EQ(read_file(dir / "kept/vphone-0001/02-r/stdout"), "hello\n");
    const auto other = run_drover(
        {"run", job.string(), "--inventory", phones.inventory(), "--timeout", "60s", "--artifacts", path("other")},
        env());
    ASSERT_EQ(other.code(), 0) << other.err;
    EXPECT_TRUE(fs::exists(dir / "other/vphone-0001/01-s/screenshot.png"));
}

}  // namespace
}  // namespace drover::test
