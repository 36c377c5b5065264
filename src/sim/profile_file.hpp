// A profile file: what the phones of a `drover sim` are like, all of them, shares of them, single ones.
//
//   version: 1
//   protocol: modern
//   properties: {ro.product.model: Pixel 8}
//   mix:
//     - {share: 0.1, protocol: old}             # every tenth phone, chosen by the seed
//   phones:
//     vphone-0003: {faults: {mute: always}}     # an id or a pattern: vphone-[0010-0019], *5
//
// For one phone the file's own keys come first, then its share of the mix, then every pattern that matches, in order.
// Unknown and duplicate keys and wrong values are errors with file, line and column. Any one thread at a time.
#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/id_ranges.hpp"
#include "base/yaml_tree.hpp"
#include "drover/error.hpp"
#include "sim/profile.hpp"

namespace drover::sim {

class ProfileFile {
public:
    static Result<ProfileFile> load(const std::filesystem::path& path);
    // `source.file` names the text in messages; key files are looked for beside it.
    static Result<ProfileFile> parse(std::string_view text, const yaml::Source& source);

    // The same number, id and seed give the same profile. Equal profiles are one object.
    std::shared_ptr<const Profile> for_phone(std::uint32_t number, const std::string& id, std::uint64_t seed);

private:
    struct Share {
        double until = 0;  // of [0, 1), summed up
        yaml::Node changes;
    };
    struct Override {
        IdPattern pattern;
        yaml::Node changes;
    };

    yaml::Source source_;
    Profile base_;
    std::vector<Share> mix_;
    std::vector<Override> phones_;
    std::map<std::vector<std::size_t>, std::shared_ptr<const Profile>> made_;  // by share and matching overrides
};

}  // namespace drover::sim
