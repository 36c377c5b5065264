// The keys of a profile, read into a Profile. Private to profile_file.cpp and its tests; pure but for key files.
#pragma once
#include <filesystem>
#include <span>

#include "base/yaml_tree_reader.hpp"
#include "sim/profile.hpp"

namespace drover::sim {

// What may stand at the top of a profile and in every change to it.
std::span<const yaml::KeySpec> profile_keys();

// Applies what `map` says to `profile`; a problem leaves the key as it was. `folder`: where key files are looked for.
void apply_profile_keys(const yaml::MapReader& map, const std::filesystem::path& folder, Profile& profile,
                        yaml::Problems& problems);

}  // namespace drover::sim
