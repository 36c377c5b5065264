// What a phone prints where a picture or a log is wanted.
#include "transfer/capture_task.hpp"

#include <gmock/gmock.h>

#include "support/temp_dir.hpp"

namespace drover::transfer {
namespace {

using ::testing::IsEmpty;

class Captured : public ::testing::Test {
protected:
    // The outcome of a program that prints these pieces.
    Result<std::string> printed(CaptureTask::What what, const std::vector<std::string>& pieces) {
        CaptureTask task(what, place);
        for (const auto& piece : pieces) EXPECT_TRUE(task.feed(as_bytes(piece)));
        EXPECT_TRUE(task.on_closed());
        return task.finish();
    }
    std::vector<std::filesystem::path> files() const {
        std::vector<std::filesystem::path> all;
        for (const auto& entry : std::filesystem::directory_iterator(dir.path())) all.push_back(entry.path());
        return all;
    }

    test::TempDir dir;
    const std::filesystem::path place = dir / "screenshot.png";
    const std::string begin{"\x89PNG\r\n\x1a\n", 8};
    const std::string end{"\0\0\0\0IEND\xAE\x42\x60\x82", 12};
};

TEST_F(Captured, AWholePictureInAnyPieces) {
    const auto done = printed(CaptureTask::What::png,
                              {begin.substr(0, 3), begin.substr(3) + "dots" + end.substr(0, 5), end.substr(5)});
    ASSERT_TRUE(done) << done.error().message;
    EXPECT_EQ(*done, "24 bytes\n");
    EXPECT_EQ(test::read_file(place), begin + "dots" + end);
}

TEST_F(Captured, APictureThatIsCutOffIsNone) {
    const auto done = printed(CaptureTask::What::png, {begin, "dots", end.substr(0, 11)});
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, Code::file_failed);
    EXPECT_EQ(done.error().message, "the picture is cut off");
    EXPECT_THAT(files(), IsEmpty());
}

TEST_F(Captured, WhatCameInsteadOfAPictureIsTold) {
    const auto said = printed(CaptureTask::What::png, {"Error: no\ndisplay\r\n"});
    ASSERT_FALSE(said);
    EXPECT_EQ(said.error().code, Code::command_failed);
    EXPECT_EQ(said.error().message, "no picture came, but: Error: no display");
    EXPECT_EQ(printed(CaptureTask::What::png, {std::string(5000, 'x')}).error().message,
              "no picture came, but: " + std::string(200, 'x'));
    EXPECT_EQ(printed(CaptureTask::What::png, {}).error().message, "no picture came");
    EXPECT_THAT(files(), IsEmpty());
}

TEST_F(Captured, APartOfALogIsKept) {
    CaptureTask task(CaptureTask::What::log, place);
    EXPECT_TRUE(task.feed(as_bytes("line\n")));
    task.discard();
    EXPECT_EQ(test::read_file(place), "line\n");
}

}  // namespace
}  // namespace drover::transfer
