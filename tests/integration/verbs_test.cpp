// The plain verbs as people type them, on virtual phones: files, packages, pictures, logs, scripts.
#include <gmock/gmock.h>

#include "support/drover.hpp"
#include "support/file_tree.hpp"

namespace drover::test {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class VerbsTest : public ::testing::Test {
protected:
    Finished drover(std::vector<std::string> args, const SimProcess& phones) {
        const auto dashes = std::find(args.begin(), args.end(), "--");
        args.insert(dashes, {"--inventory", phones.inventory(), "--timeout", "60s", "--connect-timeout", "60s",
                             "--output", "lines"});
        return run_drover(std::move(args));
    }
    std::string path(std::string_view name) const { return (dir / name).string(); }

    TempDir dir;
};

TEST_F(VerbsTest, FilesToAndFromSeveralPhones) {
    const SimProcess phones(3);
    make_tree(dir, "tree");
    dir.write("single", "one file");
    const auto pushed = drover({"push", path("tree"), path("single"), "/sdcard/"}, phones);
    ASSERT_EQ(pushed.code(), 0) << pushed.err;
    EXPECT_THAT(pushed.out, HasSubstr("vphone-0003: 10 files, 3"));
    const auto pulled = drover({"pull", "/sdcard/tree", "/sdcard/single", path("out")}, phones);
    ASSERT_EQ(pulled.code(), 0) << pulled.err;
    EXPECT_THAT(names_in(dir / "out"), ::testing::UnorderedElementsAre("vphone-0001", "vphone-0002", "vphone-0003"));
    for (const char* phone : {"vphone-0001", "vphone-0002", "vphone-0003"}) {
        EXPECT_EQ(read_tree(dir / "out" / phone / "tree", false), read_tree(dir / "tree", false));
        EXPECT_EQ(read_file(dir / "out" / phone / "single"), "one file");
    }
    // A second pull replaces what the first left.
    dir.write("out/vphone-0001/tree/stale", "old");
    ASSERT_EQ(drover({"pull", "/sdcard/tree", path("out")}, phones).code(), 0);
    EXPECT_EQ(read_tree(dir / "out/vphone-0001/tree", false), read_tree(dir / "tree", false));
}

TEST_F(VerbsTest, WhatGoesWrongIsOneRowAndLeavesNothing) {
    const SimProcess phones(1);
    const auto missing = drover({"pull", "/sdcard/none", path("out")}, phones);
    EXPECT_EQ(missing.code(), 10);
    EXPECT_THAT(missing.err, HasSubstr("/sdcard/none: No such file or directory"));
    EXPECT_THAT(names_in(dir / "out"), IsEmpty());
    dir.write("f", "text");
    const auto refused = drover({"push", path("f"), "/sdcard/f/below/f"}, phones);
    EXPECT_EQ(refused.code(), 0);
    const auto blocked = drover({"push", path("f"), "/sdcard/f/below/f/g"}, phones);
    EXPECT_EQ(blocked.code(), 10);
    EXPECT_THAT(blocked.err, HasSubstr("couldn't create file: Not a directory"));
    EXPECT_EQ(drover({"push", path("no-such-file"), "/sdcard/"}, phones).code(), 2);
    EXPECT_EQ(drover({"push", path("f")}, phones).code(), 2);
    EXPECT_EQ(drover({"pull", "/sdcard/..", path("out")}, phones).code(), 2);
}

// As a full disk: the file cannot grow any more.
TEST_F(VerbsTest, AFileThatCannotBeWrittenIsThisHostsErrorAndIsRemoved) {
    const SimProcess phones(2);
    dir.write("big", noise(400'000));
    dir.write("small", "fits");
    ASSERT_EQ(drover({"push", path("big"), path("small"), "/sdcard/"}, phones).code(), 0);
    const auto full = run(
        with_small_files(drover_command({"pull", "/sdcard/big", path("out"), "--inventory", phones.inventory()}), 100));
    EXPECT_EQ(full.code(), 20);
    EXPECT_THAT(full.err, HasSubstr("out/vphone-0001/big: File too large"));
    EXPECT_THAT(full.err, HasSubstr("out/vphone-0002/big: File too large"));
    EXPECT_THAT(names_in(dir / "out"), IsEmpty());
    EXPECT_EQ(drover({"pull", "/sdcard/small", path("out")}, phones).code(), 0);
}

TEST_F(VerbsTest, ALinkInThePlaceOfThePhonesDirectoryIsNotFollowed) {
    const SimProcess phones(1);
    dir.write("f", "text");
    ASSERT_EQ(drover({"push", path("f"), "/sdcard/"}, phones).code(), 0);
    fs::create_directories(dir / "out");
    fs::create_directories(dir / "elsewhere");
    fs::create_symlink(dir / "elsewhere", dir / "out/vphone-0001");
    EXPECT_EQ(drover({"pull", "/sdcard/f", path("out")}, phones).code(), 20);
    EXPECT_THAT(names_in(dir / "elsewhere"), IsEmpty());
}

// The directory a pull writes to appears with the phone's first answers; the rest takes seconds.
TEST_F(VerbsTest, StoppedInTheMiddleNothingIsLeft) {
    const SimProcess phones(
        1, {"--profile", dir.write("slow.yaml", "version: 1\nfaults: {slow: {time: 700ms}}\n").string()});
    dir.write("f", "text");
    ASSERT_EQ(drover({"push", path("f"), "/sdcard/"}, phones).code(), 0);
    const auto end_a_pull = [&](int signal) {
        Process pull(drover_command(
            {"pull", "/sdcard", path("out"), "--inventory", phones.inventory(), "--connect-timeout", "60s"}));
        const auto deadline = std::chrono::steady_clock::now() + kWaitMax;
        while (!fs::exists(dir / "out") || names_in(dir / "out").empty()) {
            if (std::chrono::steady_clock::now() > deadline || pull.wait(std::chrono::milliseconds(5)))
                return ExitStatus{};
        }
        pull.signal(signal);
        return pull.wait().value_or(ExitStatus{});
    };
    EXPECT_EQ(end_a_pull(SIGTERM).code, 143);
    EXPECT_THAT(names_in(dir / "out"), IsEmpty());
    // Not at once, by SIGKILL; but the next pull removes it.
    EXPECT_EQ(end_a_pull(SIGKILL).signal, SIGKILL);
    EXPECT_THAT(names_in(dir / "out"), ElementsAre(".vphone-0001.pulling-0"));
    const SimProcess quick(1);  // with a phone of the same name
    EXPECT_EQ(drover({"pull", "/sdcard", path("out")}, quick).code(), 0);
    EXPECT_THAT(names_in(dir / "out"), ElementsAre("vphone-0001"));
}

TEST_F(VerbsTest, InstallStreamedAndInPartsAndUninstall) {
    const SimProcess phones(2);
    const auto apk = dir.write("app.apk", "package=com.example.app\n" + noise(200'000)).string();
    const auto installed = drover({"install", "-r", "-g", apk}, phones);
    ASSERT_EQ(installed.code(), 0) << installed.err;
    EXPECT_THAT(installed.out, HasSubstr("vphone-0002: Success"));
    EXPECT_THAT(drover({"exec", "--", "pm list packages example"}, phones).out, HasSubstr("package:com.example.app"));
    const auto base = dir.write("base.apk", "package=com.example.split\n" + noise(5'000)).string();
    const auto part = dir.write("split_config.de.apk", noise(5'000)).string();
    const auto split = drover({"install", base, part}, phones);
    ASSERT_EQ(split.code(), 0) << split.err;
    EXPECT_THAT(drover({"exec", "--", "pm list packages split"}, phones).out, HasSubstr("com.example.split"));
    const auto reject = dir.write("bad.apk", "reject=INSTALL_FAILED_OLDER_SDK\n").string();
    const auto rejected = drover({"install", reject}, phones);
    EXPECT_EQ(rejected.code(), 10);
    EXPECT_THAT(rejected.err, HasSubstr("Failure [INSTALL_FAILED_OLDER_SDK]"));
    EXPECT_EQ(drover({"uninstall", "com.example.app"}, phones).code(), 0);
    const auto again = drover({"uninstall", "com.example.app"}, phones);
    EXPECT_EQ(again.code(), 10);
    EXPECT_THAT(again.err, HasSubstr("DELETE_FAILED"));
    EXPECT_EQ(drover({"uninstall", "com.example; reboot"}, phones).code(), 2);
}

TEST_F(VerbsTest, InstallFromAFileOnAnOldPhone) {
    const SimProcess phones(1, {"--profile", std::string(DROVER_SOURCE_DIR) + "/devices/profiles/old.yaml"});
    const auto apk = dir.write("app.apk", "package=com.example.app\n" + noise(50'000)).string();
    const auto installed = drover({"install", "-r", apk}, phones);
    ASSERT_EQ(installed.code(), 0) << installed.err;
    EXPECT_THAT(drover({"exec", "--", "pm list packages example; ls /data/local/tmp"}, phones).out,
                ::testing::EndsWith("package:com.example.app\r\n"))
        << "and the file is gone";
    EXPECT_EQ(drover({"screenshot", "--dir", path("pictures")}, phones).code(), 10);
}

TEST_F(VerbsTest, PicturesAndLogs) {
    const SimProcess phones(2);
    const auto taken = drover({"screenshot", "--dir", path("pictures")}, phones);
    ASSERT_EQ(taken.code(), 0) << taken.err;
    EXPECT_THAT(read_file(dir / "pictures/vphone-0002.png"), ::testing::StartsWith("\x89PNG\r\n"));
    ASSERT_EQ(drover({"logcat", "--dir", path("logs"), "--", "-d"}, phones).code(), 0);
    EXPECT_THAT(read_file(dir / "logs/vphone-0001.log"), HasSubstr("vphone-0001 is up"));
    fs::remove_all(dir / "logs");
    ASSERT_EQ(drover({"logcat", "--dir", path("logs"), "--time", "2s"}, phones).code(), 0);
    EXPECT_THAT(read_file(dir / "logs/vphone-0002.log"), HasSubstr("beginning of main"));
    EXPECT_THAT(names_in(dir / "logs"), ::testing::UnorderedElementsAre("vphone-0001.log", "vphone-0002.log"));
}

TEST_F(VerbsTest, AScriptIsPushedRunAndRemoved) {
    const SimProcess phones(2);
    const auto script = dir.write("check.sh", "echo \"got $1 and $2\"; exit 4\n").string();
    const auto ran = drover({"exec", "--script", script, "--", "one", "'two words'"}, phones);
    EXPECT_EQ(ran.code(), 10);
    EXPECT_THAT(ran.out, HasSubstr("vphone-0001: got one and two words"));
    EXPECT_THAT(ran.err, HasSubstr("exit code 4"));
    EXPECT_EQ(drover({"exec", "--", "ls -A /data/local/tmp"}, phones).out, "");
    const auto slow = dir.write("slow.sh", "echo begun; sleep 600\n").string();
    const auto late = run_drover({"exec", "--script", slow, "--timeout", "5s", "--inventory", phones.inventory()});
    EXPECT_EQ(late.code(), 21);
    EXPECT_EQ(drover({"exec", "--", "ls -A /data/local/tmp"}, phones).out, "") << "also when its time was over";
}

}  // namespace
}  // namespace drover::test
