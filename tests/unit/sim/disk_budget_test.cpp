// How full a phone's directory and the host's disk may be for another command.
#include "sim/disk_budget.hpp"

#include <gmock/gmock.h>

#include <filesystem>

#include "support/temp_dir.hpp"

namespace drover::sim {
namespace {

using ::testing::HasSubstr;

class DiskBudgetTest : public ::testing::Test {
protected:
    std::string refusal() {
        const auto room = check_disk(dir.path().string(), budget);
        return room ? "" : room.error().message;
    }
    test::TempDir dir;
    DiskBudget budget;
};

TEST_F(DiskBudgetTest, AnOrdinaryDirectoryHasRoom) {
    dir.write("data/local/tmp/f", "x");
    EXPECT_EQ(refusal(), "");
}

TEST_F(DiskBudgetTest, BytesOfAllFilesCount) {
    budget.phone_bytes_max = 3 * 1024 * 1024;
    dir.write("a/f", std::string(2'000'000, 'x'));
    EXPECT_EQ(refusal(), "");
    dir.write("b/c/f", std::string(2'000'000, 'x'));
    EXPECT_THAT(refusal(), HasSubstr("no room on this phone: its directory has more than 3 MiB"));
}

TEST_F(DiskBudgetTest, FilesCountAndSoDoDirectories) {
    budget.phone_files_max = 3;
    dir.write("a/f", "");
    dir.write("g", "");
    EXPECT_EQ(refusal(), "");
    dir.write("h", "");
    EXPECT_THAT(refusal(), HasSubstr("has more than 3 files"));
}

TEST_F(DiskBudgetTest, DirectoriesInsideEachOtherAreLimited) {
    budget.phone_depth_max = 2;
    dir.write("a/b/f", "");
    EXPECT_EQ(refusal(), "");
    dir.write("a/b/c/f", "");
    EXPECT_THAT(refusal(), HasSubstr("more than 2 directories inside each other"));
}

TEST_F(DiskBudgetTest, LinksAreNotFollowed) {
    const test::TempDir elsewhere;
    elsewhere.write("big", std::string(2'000'000, 'x'));
    std::filesystem::create_directory_symlink(elsewhere.path(), dir / "link");
    std::filesystem::create_directory_symlink(".", dir / "loop");
    budget.phone_bytes_max = 1'000'000;
    EXPECT_EQ(refusal(), "");
}

TEST_F(DiskBudgetTest, TheHostKeepsSomeOfItsDisk) {
    budget.host_bytes_min = std::uint64_t{1} << 62;
    EXPECT_THAT(refusal(), HasSubstr("the host's disk is nearly full"));
}

}  // namespace
}  // namespace drover::sim
