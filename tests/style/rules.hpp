// The house's style rules as pure functions: a file's path and text in, findings out. Any thread.
// A finding is one line, "path:line: what is wrong and what to do". Paths are relative to the repository, with slashes.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace drover::style {

using Findings = std::vector<std::string>;

struct SourceFile {
    std::string path;
    std::string text;
};

constexpr std::size_t kFileLinesAsked = 350;
constexpr std::size_t kFileLinesMax = 700;
constexpr std::size_t kColumnsMax = 150;  // clang-format aims at 120 and leaves comments and strings alone

// Rooms may include only rooms before them; sim only base and adb. src/ alone.
Findings arrows(const SourceFile& file);
// Public headers: no Boost, nothing from src.
Findings public_includes(const SourceFile& file);
// Headers begin with a comment and have #pragma once.
Findings header_form(const SourceFile& file);
Findings lengths(const SourceFile& file);
// Words that mark work as not done.
Findings leftovers(const SourceFile& file);
// g++ 12 destroys a brace-built temporary twice when it stands inside a co_await expression: name it first.
Findings braces_in_co_await(const SourceFile& file);
// The same kCopiedLinesMin lines in two places of src; blanks, comments, includes and lone brackets do not count.
constexpr std::size_t kCopiedLinesMin = 12;
Findings copies(const std::vector<SourceFile>& files);
// Tests wait on events.
Findings sleeps(const SourceFile& file);

}  // namespace drover::style
