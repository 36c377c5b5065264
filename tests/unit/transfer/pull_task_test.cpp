// Files from a phone: whatever it answers, files appear under their names and nowhere else, and lies end this phone's pull.
#include "transfer/pull_task.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "unit/transfer/memory_files.hpp"

namespace drover::transfer {
namespace {

using adb::SyncStat;
using test::Pulled;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

constexpr std::uint32_t kFile = S_IFREG | 0644, kDirectory = S_IFDIR | 0755, kLink = S_IFLNK | 0777;

class PullTaskTest : public ::testing::Test {
protected:
    void make(std::vector<std::string> remotes, std::string_view features = "stat_v2,ls_v2") {
        PullOptions options;
        options.remotes = remotes;
        const auto names = pull_names(remotes);
        ASSERT_TRUE(names) << names.error().message;
        task = std::make_unique<PullTask>(options, *names, adb::SyncFeatures::of(adb::Features::parse(features)),
                                          std::make_unique<test::MemoryTree>(pulled));
    }
    std::string asked() {
        Bytes out;
        const auto made = task->produce(1 << 20, out);
        if (!made) return made.error().message;
        return std::string(as_text(out));
    }
    Result<void> answer(const Bytes& bytes) { return task->feed(bytes); }
    static Bytes stat(std::uint32_t mode, std::uint32_t error = 0) {
        Bytes out;
        adb::append_sync_stat(out, adb::SyncId::stat_v2, SyncStat{error, mode, 0, 5});
        return out;
    }
    static Bytes list(std::vector<std::pair<std::string, std::uint32_t>> entries) {
        Bytes out;
        for (const auto& [name, mode] : entries) adb::append_sync_entry(out, true, name, SyncStat{0, mode, 0, 5});
        adb::append_sync_list_end(out, true);
        return out;
    }
    static Bytes file(std::string_view text) {
        Bytes out;
        if (!text.empty()) adb::append_sync_data(out, as_bytes(text));
        adb::append_sync_done(out, 0);
        return out;
    }
    static Bytes refusal(std::string_view text) {
        Bytes out;
        adb::append_sync_fail(out, text);
        return out;
    }

    Pulled pulled;
    std::unique_ptr<PullTask> task;
};

TEST_F(PullTaskTest, ATreeWithSeveralRequestsUnderWay) {
    make({"/sdcard/d/"});
    EXPECT_THAT(asked(), HasSubstr("/sdcard/d"));
    ASSERT_TRUE(answer(stat(kDirectory)));
    EXPECT_THAT(asked(), HasSubstr("LIS2"));
    ASSERT_TRUE(answer(list({{".", kDirectory}, {"..", kDirectory}, {"a", kFile}, {"b", kFile}, {"sub", kDirectory}})));
    const std::string two = asked();
    EXPECT_THAT(two, HasSubstr("/sdcard/d/a"));
    EXPECT_THAT(two, HasSubstr("/sdcard/d/b"));
    ASSERT_TRUE(answer(file("A")));
    ASSERT_TRUE(answer(file("")));
    ASSERT_TRUE(answer(list({})));
    EXPECT_TRUE(task->done());
    const auto text = task->finish();
    ASSERT_TRUE(text);
    EXPECT_EQ(*text, "2 files, 1 byte\n");
    EXPECT_THAT(pulled.files, ElementsAre(Pair("d/a", "A"), Pair("d/b", "")));
    EXPECT_THAT(pulled.directories, ElementsAre("d", "d/sub"));
    EXPECT_TRUE(pulled.published);
}

TEST_F(PullTaskTest, LinksToFilesAreFilesOthersAreLeftOut) {
    make({"/d"});
    asked();
    ASSERT_TRUE(answer(stat(kDirectory)));
    asked();
    ASSERT_TRUE(answer(list({{"f", kLink}, {"d", kLink}, {"gone", kLink}, {"pipe", S_IFIFO | 0600}})));
    asked();
    ASSERT_TRUE(answer(stat(kFile)));
    ASSERT_TRUE(answer(stat(kDirectory)));
    ASSERT_TRUE(answer(stat(0, 2)));
    asked();
    ASSERT_TRUE(answer(file("x")));
    ASSERT_TRUE(task->done());
    EXPECT_EQ(*task->finish(),
              "1 file, 1 byte\n3 left out: /d/pipe (not a file), /d/d (a link to a directory), /d/gone (a link to "
              "nothing)\n");
}

TEST_F(PullTaskTest, Version1LooksForADirectoryBehindALink) {
    make({"/link"}, "");
    EXPECT_THAT(asked(), HasSubstr("STAT"));
    Bytes reply;
    adb::append_sync_stat(reply, adb::SyncId::lstat_v1, SyncStat{0, kLink, 0, 5});
    ASSERT_TRUE(answer(reply));
    EXPECT_THAT(asked(), HasSubstr("/link/"));
    reply.clear();
    adb::append_sync_stat(reply, adb::SyncId::lstat_v1, SyncStat{0, kDirectory, 0, 5});
    ASSERT_TRUE(answer(reply));
    EXPECT_THAT(asked(), HasSubstr("LIST"));
}

TEST_F(PullTaskTest, WhatIsMissingOrRefusedIsNamed) {
    make({"/none"});
    asked();
    const auto missing = answer(stat(0, 2));
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code, Code::file_failed);
    EXPECT_EQ(missing.error().message, "/none: No such file or directory");
    make({"/secret"});
    asked();
    ASSERT_TRUE(answer(stat(kFile)));
    asked();
    EXPECT_EQ(answer(refusal("open failed: Permission denied")).error().message,
              "/secret: open failed: Permission denied");
}

TEST_F(PullTaskTest, AFullDiskIsThisPhonesError) {
    make({"/f"});
    asked();
    ASSERT_TRUE(answer(stat(kFile)));
    asked();
    pulled.room = 2;
    const auto full = answer(file("three"));
    ASSERT_FALSE(full);
    EXPECT_EQ(full.error().code, Code::local_file);
    EXPECT_EQ(full.error().message, "f: No space left on device");
    task->discard();
    EXPECT_TRUE(pulled.discarded);
    EXPECT_FALSE(pulled.published);
}

TEST_F(PullTaskTest, ADirectoryThatNeverEnds) {
    make({"/d"});
    asked();
    ASSERT_TRUE(answer(stat(kDirectory)));
    asked();
    Bytes entries;
    for (int i = 0; i < 1000; ++i) adb::append_sync_entry(entries, true, "same", SyncStat{0, kFile, 0, 5});
    Result<void> fed;
    for (int i = 0; fed && i < 1000; ++i) fed = answer(entries);
    ASSERT_FALSE(fed);
    EXPECT_THAT(fed.error().message, HasSubstr("more than 200000 files"));
}

TEST_F(PullTaskTest, DirectoriesThatNeverEnd) {
    make({"/d"});
    asked();
    Result<void> fed = answer(stat(kDirectory));
    for (int i = 0; fed && i < 1000; ++i) {
        asked();
        fed = answer(list({{"d", kDirectory}}));
    }
    ASSERT_FALSE(fed);
    EXPECT_THAT(fed.error().message, HasSubstr("too deep"));
}

TEST_F(PullTaskTest, NamesThatWouldLeadOut) {
    for (const char* name : {"../x", "a/b", "/etc"}) {
        make({"/d"});
        asked();
        ASSERT_TRUE(answer(stat(kDirectory)));
        asked();
        const auto fed = answer(list({{name, kFile}}));
        ASSERT_FALSE(fed) << name;
        EXPECT_EQ(fed.error().code, Code::protocol_error);
    }
    EXPECT_TRUE(pulled.files.empty());
    EXPECT_FALSE(pull_names({"/sdcard/.."}));
    EXPECT_FALSE(pull_names({"/a/x", "/b/x"}));
    EXPECT_FALSE(pull_names({""}));
}

TEST_F(PullTaskTest, TheSameNameTwice) {
    make({"/d"});
    asked();
    ASSERT_TRUE(answer(stat(kDirectory)));
    asked();
    ASSERT_TRUE(answer(list({{"f", kFile}, {"f", kFile}})));
    asked();
    ASSERT_TRUE(answer(file("1")));
    EXPECT_FALSE(answer(file("2")));
}

}  // namespace
}  // namespace drover::transfer
