#include "agent/task_log.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/temp_dir.hpp"

namespace drover::agent {
namespace {

Row row_of(std::string id, Code code, std::string said) {
    Row row;
    row.instance_id = std::move(id);
    row.code = code;
    row.error_msg = code == Code::ok ? "" : "why";
    row.execute_msg = std::move(said);
    return row;
}

TEST(TaskLog, KeepsWhatPhonesSaidUntilForgotten) {
    const test::TempDir dir;
    TaskLog log(dir / "logs");
    log.note("t1", "START");
    log.add("t1", row_of("a", Code::ok, "one\x1b[2J\ntwo"));
    log.add("t1", row_of("b", Code::command_failed, ""));
    const auto text = test::read_file(log.file_of("t1"));
    EXPECT_NE(text.find("Z START\na: ok\none\\x1b[2J\ntwo\nb: CPS.0191 why\n"), std::string::npos) << text;
    struct stat info {};
    ASSERT_EQ(::stat(log.file_of("t1").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600U) << "output is nobody else's business";
    log.forget("t1");
    EXPECT_FALSE(std::filesystem::exists(log.file_of("t1")));
}

TEST(TaskLog, HasAnEnd) {
    const test::TempDir dir;
    TaskLog log(dir / "logs");
    log.note("t1", "x");
    ASSERT_EQ(::truncate(log.file_of("t1").c_str(), kLogBytesMax), 0);
    log.note("t1", "more");
    EXPECT_EQ(std::filesystem::file_size(log.file_of("t1")), kLogBytesMax);
}

TEST(TaskLog, UploadsInOneStepAndFollowsNoLink) {
    const test::TempDir dir;
    const auto file = dir.write("t1.log", "text");
    const http::LogBucket bucket{dir / "bucket", 0750};
    EXPECT_FALSE(upload(file, bucket)) << "no such directory";
    std::filesystem::create_directory(bucket.directory);
    const auto uploaded = upload(file, bucket);
    ASSERT_TRUE(uploaded) << uploaded.error().message;
    EXPECT_EQ(test::read_file(bucket.directory / "t1.log"), "text");
    EXPECT_FALSE(std::filesystem::exists(bucket.directory / "t1.log.part"));
    const auto victim = dir.write("victim", "untouched");
    std::filesystem::create_symlink(victim, bucket.directory / "t1.log.part");
    EXPECT_FALSE(upload(file, bucket));
    EXPECT_EQ(test::read_file(victim), "untouched");
    EXPECT_FALSE(upload(dir / "nothing.log", bucket));
}

TEST(TaskLog, ResetsTheModeOfTheDirectory) {
    const test::TempDir dir;
    const http::LogBucket bucket{dir / "bucket", 0750};
    EXPECT_FALSE(reset_mode(bucket));
    std::filesystem::create_directory(bucket.directory);
    ASSERT_EQ(::chmod(bucket.directory.c_str(), 0700), 0);
    ASSERT_TRUE(reset_mode(bucket));
    struct stat info {};
    ASSERT_EQ(::stat(bucket.directory.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 07777, 0750U);
}

}  // namespace
}  // namespace drover::agent
