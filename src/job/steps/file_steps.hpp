// What the steps that move files share: their paths, and where they keep what comes from a phone. As Action: immutable, any thread.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "job/file_reader.hpp"
#include "job/local_path.hpp"
#include "job/steps/operation_activity.hpp"
#include "transfer/push_task.hpp"

namespace drover::job {

constexpr std::size_t kPathsMax = 1'000;  // of one step

// `to: DIRECTORY`, where each phone has one of its own, DIRECTORY/INSTANCE. Without it: that of the step in the artifacts.
class KeepPlace {
public:
    KeepPlace() = default;
    explicit KeepPlace(LocalPath to) : to_(std::move(to)) {}

    struct Made {
        std::filesystem::path directory;
        std::string artifact;  // the same below the artifacts directory; empty: it is elsewhere
        std::vector<std::string> files(const std::vector<std::string>& names) const;
    };
    tl::expected<Made, std::string> of(const ActivityContext& context) const;
    std::string preview(const Scope& scope) const;
    bool is_named() const { return to_.has_value(); }
    void each_template(const std::function<void(const Template&)>& tell) const {
        if (to_) tell(to_->text());
    }

private:
    std::optional<LocalPath> to_;
};

// nullopt: reported.
std::optional<KeepPlace> read_keep_place(const yaml::MapReader& map, FileReader& reader);
// One text or a list of them, at least one.
std::optional<std::vector<Template>> read_texts(const yaml::Node& node, const std::string& path, FileReader& reader);
std::optional<std::vector<LocalPath>> read_local_paths(const yaml::Node& node, const std::string& path,
                                                       FileReader& reader);
std::optional<transfer::Compress> read_compress(const yaml::MapReader& map, transfer::Compress usual);

// All of them, or what is wrong with the first that has no value.
tl::expected<std::vector<std::string>, std::string> expand_all(const std::vector<Template>& texts, const Scope& scope);
tl::expected<std::vector<std::string>, std::string> expand_all(const std::vector<LocalPath>& paths, const Scope& scope);
// The text, if nothing of it has to wait for a phone.
std::optional<std::string> literal_of(const Template& text);

// Those of the paths that need not wait for a phone.
std::vector<std::string> literals_of(const std::vector<LocalPath>& paths);

// Makes the directory and those above it. Blocks. Failure: local_file.
Result<void> make_directories(const std::filesystem::path& directory);

}  // namespace drover::job
