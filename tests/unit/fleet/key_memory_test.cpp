#include "fleet/key_memory.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "support/temp_dir.hpp"

namespace drover::fleet {
namespace {

TEST(KeyMemory, RemembersOverRuns) {
    const test::TempDir dir;
    const auto file = dir / "state" / "accepted_keys";
    {
        KeyMemory memory(file);
        EXPECT_EQ(memory.accepted_key("a"), "");
        memory.remember("a", "f1");
        memory.remember("b", "f2");
        memory.remember("a", "f3");
    }
    KeyMemory memory(file);
    EXPECT_EQ(memory.accepted_key("a"), "f3");
    EXPECT_EQ(memory.accepted_key("b"), "f2");
}

TEST(KeyMemory, ItsFilesAreTheOwnersAlone) {
    const test::TempDir dir;
    const auto file = dir / "state" / "accepted_keys";
    KeyMemory(file).remember("a", "f1");
    using std::filesystem::perms;
    constexpr perms kOthers = perms::group_all | perms::others_all;
    EXPECT_EQ(std::filesystem::status(file.parent_path()).permissions() & kOthers, perms::none);
    EXPECT_EQ(std::filesystem::status(file).permissions() & kOthers, perms::none);
}

TEST(KeyMemory, TwoProcessesDoNotLoseEachOthersKeys) {
    const test::TempDir dir;
    const auto file = dir / "k";
    {
        KeyMemory first(file), second(file);
        first.remember("a", "f1");
        second.remember("b", "f2");
    }
    KeyMemory memory(file);
    EXPECT_EQ(memory.accepted_key("a"), "f1");
    EXPECT_EQ(memory.accepted_key("b"), "f2");
}

TEST(KeyMemory, JunkInTheFileIsPassedOver) {
    const test::TempDir dir;
    std::ofstream(dir / "k") << "\n\x01\x02\nalone\na f1\n";
    KeyMemory memory(dir / "k");
    EXPECT_EQ(memory.accepted_key("a"), "f1");
}

TEST(KeyMemory, AnUnwritablePlaceIsNoFailure) {
    KeyMemory memory("/proc/no/such/place/accepted_keys");
    memory.remember("a", "f1");
    EXPECT_EQ(memory.accepted_key("a"), "f1");
}

}  // namespace
}  // namespace drover::fleet
