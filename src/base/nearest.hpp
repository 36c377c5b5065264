// Finds the word a user probably meant: the candidate with the smallest edit distance (insert, delete, replace, swap of
// neighbours). Pure; any thread. Words over kNearestWordMax bytes have no nearest one.
#pragma once
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace drover {

constexpr std::size_t kNearestWordMax = 64;  // bytes

std::size_t edit_distance(std::string_view a, std::string_view b);
// Empty when nothing is near: further than a third of the word, at least 1. Equal distance: the first candidate.
std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates);
// " (did you mean 'timeout'?)", or "" when nothing is near.
std::string did_you_mean(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace drover
