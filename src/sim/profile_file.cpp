#include "sim/profile_file.hpp"

#include <fmt/format.h>

#include "sim/profile_keys.hpp"
#include "sim/rng.hpp"

namespace drover::sim {
namespace {

using yaml::KeySpec;
using yaml::MapReader;
using yaml::Node;
using yaml::Problems;

std::vector<KeySpec> keys_and(std::initializer_list<KeySpec> more) {
    std::vector<KeySpec> keys(more);
    const auto usual = profile_keys();
    keys.insert(keys.end(), usual.begin(), usual.end());
    return keys;
}

const std::vector<KeySpec>& top_keys() {
    static const auto keys = keys_and({{"version", true}, {"name"}, {"mix"}, {"phones"}});
    return keys;
}

const std::vector<KeySpec>& share_keys() {
    static const auto keys = keys_and({{"share", true}});
    return keys;
}

std::filesystem::path folder_of(const yaml::Source& source) { return std::filesystem::path(source.file).parent_path(); }

// Whether the changes are right on their own; they are applied again for each phone that wants them.
void try_changes(const Node& node, const std::string& path, std::span<const KeySpec> keys, const yaml::Source& source,
                 Profile profile, Problems& problems) {
    const MapReader map(node, path, keys, problems);
    if (map.is_map()) apply_profile_keys(map, folder_of(source), profile, problems);
}

}  // namespace

Result<ProfileFile> ProfileFile::load(const std::filesystem::path& path) {
    yaml::Source source;
    source.file = path.string();
    source.code = Code::bad_profile;
    const auto text = yaml::read_text(source);
    if (!text) return tl::unexpected(text.error());
    return parse(*text, source);
}

Result<ProfileFile> ProfileFile::parse(std::string_view text, const yaml::Source& source) {
    const auto root = yaml::parse(text, source);
    if (!root) return tl::unexpected(root.error());
    ProfileFile file;
    file.source_ = source;
    file.base_ = modern_profile();
    Problems problems(source);
    const MapReader map(*root, "", top_keys(), problems);
    map.integer("version", 1, 1);
    if (auto name = map.string("name")) file.base_.name = std::move(*name);
    if (map.is_map()) apply_profile_keys(map, folder_of(source), file.base_, problems);

    if (const Node* mix = map.find("mix")) {
        if (!mix->is_sequence()) map.problem("mix", "must be a list of maps, each with a share");
        double sum = 0;
        for (std::size_t i = 0; i < mix->items.size(); ++i) {
            const std::string path = fmt::format("mix[{}]", i);
            try_changes(mix->items[i], path, share_keys(), source, file.base_, problems);
            Problems reported_already(source);
            const MapReader item(mix->items[i], path, share_keys(), reported_already);
            sum += item.number("share", 0, 1).value_or(0);
            file.mix_.push_back(Share{sum, mix->items[i]});
        }
        if (sum > 1.000001) map.problem("mix", fmt::format("the shares come to {}, over 1", sum));
    }
    if (const Node* phones = map.find("phones")) {
        if (!phones->is_map()) map.problem("phones", "must be a map from ids to what is different there");
        for (const auto& [key, key_mark, value] : phones->entries) {
            const std::string path = "phones." + key;
            auto pattern = IdPattern::parse(key);
            if (!pattern) {
                problems.add(key_mark, path, pattern.error().message);
                continue;
            }
            try_changes(value, path, profile_keys(), source, file.base_, problems);
            file.phones_.push_back(Override{std::move(*pattern), value});
        }
    }
    if (!problems.empty()) return problems.unexpected();
    return file;
}

std::shared_ptr<const Profile> ProfileFile::for_phone(std::uint32_t number, const std::string& id, std::uint64_t seed) {
    std::vector<std::size_t> used;
    const double where = Rng(seed * 0x10001 + number).fraction();
    std::size_t share = 0;
    while (share < mix_.size() && where >= mix_[share].until) ++share;
    used.push_back(share);
    for (std::size_t i = 0; i < phones_.size(); ++i) {
        if (phones_[i].pattern.matches(id)) used.push_back(i);
    }
    auto& made = made_[used];
    if (made) return made;
    auto profile = std::make_shared<Profile>(base_);
    Problems none(source_);
    if (share < mix_.size()) {
        apply_profile_keys(MapReader(mix_[share].changes, "", share_keys(), none), folder_of(source_), *profile, none);
    }
    for (std::size_t i = 1; i < used.size(); ++i) {
        apply_profile_keys(MapReader(phones_[used[i]].changes, "", profile_keys(), none), folder_of(source_), *profile,
                           none);
    }
    made = std::move(profile);
    return made;
}

}  // namespace drover::sim
