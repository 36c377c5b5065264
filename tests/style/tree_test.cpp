// The rules, on every file of this repository.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <iostream>

#include "style/rules.hpp"
#include "support/temp_dir.hpp"
#include "where.hpp"

namespace drover::style {
namespace {

namespace fs = std::filesystem;
const fs::path kRoot = DROVER_SOURCE_DIR;

std::vector<SourceFile> files_below(std::initializer_list<const char*> folders) {
    std::vector<SourceFile> files;
    for (const char* folder : folders) {
        for (const auto& entry : fs::recursive_directory_iterator(kRoot / folder)) {
            const auto extension = entry.path().extension();
            if (!entry.is_regular_file() || (extension != ".cpp" && extension != ".hpp")) continue;
            files.push_back({fs::relative(entry.path(), kRoot).generic_string(), test::read_file(entry.path())});
        }
    }
    std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
    return files;
}

const std::vector<SourceFile>& all_files() {
    static const auto files = files_below({"include", "src", "tests"});
    return files;
}

void expect_none(Findings (*rule)(const SourceFile&)) {
    ASSERT_GT(all_files().size(), 20u) << "the tree was not found";
    for (const auto& file : all_files()) {
        if (file.path.starts_with("tests/style/")) continue;  // holds samples of what is wrong
        for (const auto& finding : rule(file)) ADD_FAILURE() << finding;
    }
}

TEST(Tree, ArrowsPointBack) { expect_none(arrows); }
TEST(Tree, PublicHeadersIncludeOnlyPublicOnes) { expect_none(public_includes); }
TEST(Tree, HeadersBeginWithAComment) { expect_none(header_form); }
TEST(Tree, NothingIsLeftOver) { expect_none(leftovers); }
TEST(Tree, NoBracesInCoAwait) { expect_none(braces_in_co_await); }
TEST(Tree, TestsDoNotSleep) { expect_none(sleeps); }

TEST(Tree, NothingIsCopied) {
    ASSERT_GT(all_files().size(), 20u) << "the tree was not found";
    for (const auto& finding : copies(all_files())) ADD_FAILURE() << finding;
}

TEST(Tree, FilesAndLinesAreShort) {
    expect_none(lengths);
    for (const auto& file : all_files()) {
        const auto lines = static_cast<std::size_t>(std::count(file.text.begin(), file.text.end(), '\n'));
        if (lines > kFileLinesAsked)
            std::cout << file.path << ": " << lines << " lines, over the " << kFileLinesAsked << " asked\n";
    }
}

TEST(Tree, ScriptsCanBeRun) {
    std::vector<fs::path> scripts{kRoot / ".ci/run"};
    for (const auto& entry : fs::directory_iterator(kRoot / "scripts")) {
        if (entry.is_regular_file()) scripts.push_back(entry.path());
    }
    ASSERT_GE(scripts.size(), 4u);
    for (const auto& script : scripts) {
        EXPECT_NE(fs::status(script).permissions() & fs::perms::others_exec, fs::perms::none)
            << script << " has no run bit";
        EXPECT_TRUE(test::read_file(script).starts_with("#!/usr/bin/env ")) << script;
    }
}

}  // namespace
}  // namespace drover::style
