// What pulls leave beside the directories of the phones: nothing, even where drover was killed, and of a running pull all of it.
#include "transfer/pull_tree.hpp"

#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/file_tree.hpp"

namespace drover::transfer {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class PullTreeTest : public ::testing::Test {
protected:
    std::unique_ptr<PullTree> begun(const std::string& instance, const std::string& text) const {
        auto tree = make_pull_tree(dir.path(), instance);
        for (const auto& done :
             {tree->make_directory("d", 0755), tree->create("d/f", 0644), tree->write(as_bytes(text))})
            EXPECT_TRUE(done) << done.error().message;
        return tree;
    }
    static void finish(PullTree& tree) {
        EXPECT_TRUE(tree.close(1));
        const auto published = tree.publish();
        EXPECT_TRUE(published) << published.error().message;
    }
    // Another process that is gone without a word, as by SIGKILL.
    void killed_pull(const std::string& instance) const {
        const auto child = ::fork();
        if (child == 0) {
            const auto tree = begun(instance, "half");
            ::_exit(0);
        }
        ASSERT_EQ(::waitpid(child, nullptr, 0), child);
    }

    test::TempDir dir;
};

TEST_F(PullTreeTest, WhatAKilledPullLeftIsRemovedByTheNextOfThatPhone) {
    killed_pull("a");
    killed_pull("a.b");
    const auto other = begun("c", "still going");
    ASSERT_THAT(test::names_in(dir.path()), UnorderedElementsAre(".a.pulling-0", ".a.b.pulling-0", ".c.pulling-0"));
    finish(*begun("a", "whole"));
    EXPECT_THAT(test::names_in(dir.path()), UnorderedElementsAre("a", ".a.b.pulling-0", ".c.pulling-0"));
    EXPECT_EQ(test::read_file(dir / "a/d/f"), "whole");
    finish(*begun("a.b", "whole"));
    finish(*other);
    EXPECT_THAT(test::names_in(dir.path()), UnorderedElementsAre("a", "a.b", "c"));
    EXPECT_EQ(test::read_file(dir / "c/d/f"), "still going");
}

TEST_F(PullTreeTest, ARunningPullOfTheSamePhoneKeepsWhatItHas) {
    const auto first = begun("a", "first");
    const auto second = begun("a", "second");
    killed_pull("a");
    ASSERT_THAT(test::names_in(dir.path()), UnorderedElementsAre(".a.pulling-0", ".a.pulling-1", ".a.pulling-2"));
    finish(*first);
    EXPECT_EQ(test::read_file(dir / "a/d/f"), "first");
    finish(*begun("a", "third"));
    EXPECT_THAT(test::names_in(dir.path()), UnorderedElementsAre("a", ".a.pulling-1"));
    finish(*second);
    EXPECT_EQ(test::read_file(dir / "a/d/f"), "second");
    EXPECT_THAT(test::names_in(dir.path()), ElementsAre("a"));
}

TEST_F(PullTreeTest, TooManyAtOnceAreAnErrorThatSaysSo) {
    std::vector<std::unique_ptr<PullTree>> trees;
    for (int i = 0; i < 16; ++i) trees.push_back(begun("a", "x"));
    const auto one_more = make_pull_tree(dir.path(), "a")->create("f", 0644);
    ASSERT_FALSE(one_more);
    EXPECT_EQ(one_more.error().code, Code::local_file);
    EXPECT_EQ(one_more.error().message,
              (dir / "a").string() + ": 16 pulls of it are under way, or were ended: remove .a.pulling-* if none is");
    trees.clear();
    EXPECT_THAT(test::names_in(dir.path()), IsEmpty());
}

}  // namespace
}  // namespace drover::transfer
