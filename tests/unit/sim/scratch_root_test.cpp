// Directories of fleets: fresh, private, and none left behind for long.
#include "sim/scratch_root.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include "support/temp_dir.hpp"

namespace drover::sim {
namespace {

namespace fs = std::filesystem;

TEST(ScratchRoot, IsRemovedWithItsOwner) {
    fs::path path;
    {
        auto root = ScratchRoot::create(::geteuid() == 0);
        ASSERT_TRUE(root) << root.error().message;
        path = root->path();
        EXPECT_TRUE(fs::is_directory(path));
        fs::create_directories(path / "a" / "b");
        EXPECT_EQ(fs::status(path).permissions() & fs::perms::others_write, fs::perms::none);
        EXPECT_EQ(fs::status(path).permissions() & fs::perms::others_read, fs::perms::none);
    }
    EXPECT_FALSE(fs::exists(path));
}

TEST(ScratchRoot, StaleOnesGoLivingOnesStay) {
    const auto living = ScratchRoot::create(false);
    ASSERT_TRUE(living);
    const test::TempDir folder;
    folder.write("drover-sim-stale1/vphone-0001/file", "x");
    folder.write("drover-sim-file", "a file, not a directory");
    folder.write("something-else/file", "x");
    const test::TempDir elsewhere;
    elsewhere.write("kept", "x");
    fs::create_directory_symlink(elsewhere.path(), folder / "drover-sim-link");
    remove_stale_roots(folder.path());
    EXPECT_FALSE(fs::exists(folder / "drover-sim-stale1"));
    EXPECT_TRUE(fs::exists(folder / "drover-sim-file"));
    EXPECT_TRUE(fs::exists(folder / "something-else"));
    EXPECT_TRUE(fs::exists(elsewhere / "kept"));
    EXPECT_TRUE(fs::is_symlink(folder / "drover-sim-link"));
    remove_stale_roots(living->path().parent_path());
    EXPECT_TRUE(fs::exists(living->path()));
}

}  // namespace
}  // namespace drover::sim
