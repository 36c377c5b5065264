// What GitHub Actions understands in a log: a group for each phone, and an annotation for each failure. Pure; any thread.
// https://docs.github.com/actions/reference/workflow-commands-for-github-actions
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

#include "drover/row.hpp"

namespace drover::report {

constexpr std::size_t kAnnotationsMax = 10;  // GitHub shows no more of one step

// Before the lines of a phone, and after them. Between the two no line is a command, whatever the phone printed: `token` is
// something it cannot know.
std::string github_group_begin(const Row& row, std::string_view token);
std::string github_group_end(std::string_view token);
// "::error title=rack1-03, step 'install'::CPS.0191: ..."; empty when ok.
std::string github_annotation(const Row& row);

}  // namespace drover::report
