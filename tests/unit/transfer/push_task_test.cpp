// Files to a phone: what is sent, packed together and without waiting, and what its answers mean.
#include "transfer/push_task.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "support/file_tree.hpp"
#include "unit/transfer/memory_files.hpp"

namespace drover::transfer {
namespace {

using adb::SyncStat;
using ::testing::HasSubstr;

std::string le(std::uint32_t value) {
    std::string out(4, '\0');
    store_le32(reinterpret_cast<std::uint8_t*>(out.data()), value);
    return out;
}

class PushTaskTest : public ::testing::Test {
protected:
    void make(std::vector<std::string> locals, const std::string& remote, std::string_view features = "stat_v2",
              Compress compress = Compress::automatic) {
        auto plan = plan_push(files, locals);
        ASSERT_TRUE(plan) << plan.error().message;
        PushOptions options;
        options.remote = remote;
        options.compress = compress;
        task = std::make_unique<PushTask>(std::make_shared<const PushPlan>(std::move(*plan)), options,
                                          adb::SyncFeatures::of(adb::Features::parse(features)), files, empty);
    }
    std::string asked(std::size_t room = 1 << 20) {
        Bytes out;
        const auto made = task->produce(room, out);
        if (!made) return made.error().message;
        return std::string(as_text(out));
    }
    Result<void> there(std::uint32_t mode, std::uint32_t error = 0) {
        Bytes out;
        adb::append_sync_stat(out, adb::SyncId::stat_v2, SyncStat{error, mode, 0, 0});
        return task->feed(out);
    }
    Result<void> okay(int times) {
        Bytes out;
        for (int i = 0; i < times; ++i) adb::append_sync_okay(out);
        return task->feed(out);
    }

    test::MemoryFiles files;
    std::shared_ptr<EmptyDirectories> empty = std::make_shared<EmptyDirectories>();
    std::unique_ptr<PushTask> task;
};

TEST_F(PushTaskTest, SmallFilesArePackedWithoutWaiting) {
    files.file("/l/a", "AA");
    files.file("/l/b", "");
    make({"/l/a", "/l/b"}, "/r");
    EXPECT_EQ(asked(), "STA2" + le(3) + "/r/");
    ASSERT_TRUE(there(S_IFDIR | 0755));
    EXPECT_EQ(asked(), "SEND" + le(10) + "/r/a,33188" + "DATA" + le(2) + "AA" + "DONE" + le(7) + "SEND" + le(10) +
                           "/r/b,33188" + "DONE" + le(7));
    EXPECT_FALSE(task->done());
    ASSERT_TRUE(okay(2));
    EXPECT_TRUE(task->done());
    EXPECT_EQ(*task->finish(), "2 files, 2 bytes\n");
}

TEST_F(PushTaskTest, ToANameThatIsNotThere) {
    files.file("/l/a", "A");
    make({"/l/a"}, "/r");
    asked();
    ASSERT_TRUE(there(0, 2));
    EXPECT_THAT(asked(), HasSubstr("/r,33188"));
}

TEST_F(PushTaskTest, SeveralFilesNeedADirectory) {
    files.file("/l/a", "A");
    files.file("/l/b", "B");
    make({"/l/a", "/l/b"}, "/r");
    asked();
    const auto refused = there(0, 2);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, HasSubstr("several files need a directory"));
    make({"/l/a", "/l/b"}, "/r/");
    asked();
    EXPECT_TRUE(there(0, 2));
}

TEST_F(PushTaskTest, WhatGetsSmallerIsCompressedWhatDoesNotIsNot) {
    files.file("/text", std::string(200'000, 'a'));
    files.file("/noise", test::noise(200'000));
    make({"/text"}, "/r", "stat_v2,sendrecv_v2,sendrecv_v2_lz4,sendrecv_v2_zstd");
    asked();
    ASSERT_TRUE(there(0, 2));
    const std::string text = asked();
    EXPECT_THAT(text, HasSubstr("SND2" + le(33188) + le(2)));
    EXPECT_LT(text.size(), 5000u);
    make({"/noise"}, "/r", "stat_v2,sendrecv_v2,sendrecv_v2_lz4");
    asked();
    ASSERT_TRUE(there(0, 2));
    const std::string noise = asked();
    EXPECT_THAT(noise, HasSubstr("SND2" + le(33188) + le(0)));
    EXPECT_EQ(noise.size(), 8u + 2 + 12 + 200'000 + 4 * 8 + 8);
}

TEST_F(PushTaskTest, OnlyWhatThePhoneOffers) {
    files.file("/text", std::string(200'000, 'a'));
    make({"/text"}, "/r", "stat_v2,sendrecv_v2", Compress::zstd);
    asked();
    ASSERT_TRUE(there(0, 2));
    EXPECT_THAT(asked(), HasSubstr("SND2" + le(33188) + le(0)));
}

TEST_F(PushTaskTest, ItStopsForWantOfRoom) {
    files.file("/noise", test::noise(1'000'000));
    make({"/noise"}, "/r");
    asked();
    ASSERT_TRUE(there(0, 2));
    std::size_t sum = 0;
    for (std::string piece = asked(100'000); !piece.empty(); piece = asked(100'000)) {
        EXPECT_LT(piece.size(), 100'000u + 65'544);
        sum += piece.size();
    }
    EXPECT_GT(sum, 1'000'000u);
}

TEST_F(PushTaskTest, AFailureInTheMiddleNamesItsFile) {
    files.file("/l/a", "A");
    files.file("/l/b", test::noise(300'000));
    make({"/l/a", "/l/b"}, "/r/");
    asked();
    ASSERT_TRUE(there(S_IFDIR));
    asked(100'000);
    ASSERT_TRUE(okay(1));
    Bytes out;
    adb::append_sync_fail(out, "couldn't create file: No space left on device");
    const auto failed = task->feed(out);
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code, Code::file_failed);
    EXPECT_EQ(failed.error().message, "/r/b: couldn't create file: No space left on device");
}

TEST_F(PushTaskTest, APhoneThatSaysOkayTooEarlyLies) {
    files.file("/l/b", test::noise(300'000));
    make({"/l/b"}, "/r");
    asked();
    ASSERT_TRUE(there(0, 2));
    asked(100'000);
    EXPECT_FALSE(okay(1));
    make({"/l/b"}, "/r");
    asked();
    ASSERT_TRUE(there(0, 2));
    while (!asked().empty()) {}
    EXPECT_FALSE(okay(2));
}

TEST_F(PushTaskTest, AFileThatIsGoneIsThisHostsError) {
    files.file("/l/a", "A");
    make({"/l/a"}, "/r");
    files.texts.clear();
    asked();
    ASSERT_TRUE(there(0, 2));
    EXPECT_EQ(asked(), "/l/a: gone");
    EXPECT_FALSE(plan_push(files, {"/none"}));
}

}  // namespace
}  // namespace drover::transfer
