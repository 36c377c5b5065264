// What reading one job file needs at every depth: its text, the names that expressions may use, and the list of mistakes.
// One thread. Everything it refers to outlives it. Failure: problems, with places.
#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/yaml_tree_reader.hpp"
#include "job/expression.hpp"
#include "job/model.hpp"
#include "job/template.hpp"

namespace drover::job {

// [A-Za-z_][A-Za-z0-9_]*, and for names in expressions also '-'.
bool valid_env_name(std::string_view name);
bool valid_var_name(std::string_view name);

class FileReader {
public:
    // file: the job file, whose folder paths of this host are relative to.
    FileReader(std::string_view text, const std::filesystem::path& file, yaml::Problems& problems, NameTable& names)
        : text_(text), folder_(file.parent_path()), problems_(problems), names_(names) {}

    yaml::Problems& problems() { return problems_; }
    NameTable& names() { return names_; }
    const std::filesystem::path& folder() const { return folder_; }

    std::optional<Template> read_template(const yaml::Node& node, const std::string& path, Template::Use use,
                                          std::size_t bytes_max = kValueBytesMax);
    std::optional<Template> read_template(const std::string& value, yaml::Mark mark, const std::string& path,
                                          Template::Use use);
    std::optional<Expression> read_condition(const yaml::Node& node, const std::string& path);
    std::vector<EnvVar> read_env(const yaml::Node& node, const std::string& path);
    std::optional<std::string> read_name(const yaml::MapReader& map, std::string_view key = "name");

private:
    yaml::Mark place(yaml::Mark scalar, std::string_view needle, std::size_t nth, std::size_t offset) const;
    bool no_nul(std::string_view value, yaml::Mark mark, std::string_view path);

    std::string_view text_;
    const std::filesystem::path folder_;
    yaml::Problems& problems_;
    NameTable& names_;
};

}  // namespace drover::job
