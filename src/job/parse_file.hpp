// One file on the way into a Model: the job's own, or one that a step uses. Private to parse*.cpp; one thread.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/yaml_tree_reader.hpp"
#include "job/file_reader.hpp"
#include "job/model.hpp"
#include "job/parse.hpp"

namespace drover::job {

// What all files of one job share.
struct Parsing {
    const ReadFile& read;
    Model& out;
    std::vector<Error> errors;
    std::vector<std::string> open_files;                   // from the job's file to the one being read
    std::unordered_map<std::string, std::string> step_at;  // name of a step: "line 3" or "FILE:3"
};

// What a using step hands to the used file.
struct Using {
    std::string name_prefix;  // "prepare / "
    bool in_finally = false;
    std::vector<Expression> conditions;
    std::string if_text;
    std::vector<EnvVar> env;
    std::map<std::string, std::shared_ptr<const Template>, std::less<>> with;
    std::map<std::string, yaml::Mark, std::less<>> with_marks;
};

class FileParser {
public:
    FileParser(Parsing& parsing, std::string_view text, const yaml::Source& source, const Using* use)
        : parsing_(parsing),
          out_(parsing.out),
          source_(source),
          problems_(source),
          use_(use),
          reader_(text, source.file, problems_, names_) {}

    // The names in `with` that the file has no var for are mistakes of the using file: they are given back.
    std::vector<std::string> read(const yaml::Node& root);
    const yaml::Problems& problems() const { return problems_; }

private:
    void read_head(const yaml::MapReader& map);
    void read_on(const yaml::MapReader& map);
    void selector(const yaml::MapReader& map, std::string_view key, const std::string& text);
    std::vector<std::string> read_vars(const yaml::Node* node);
    void read_secrets(const yaml::Node& node);
    void read_secret(const yaml::Entry& entry);
    void read_strategy(const yaml::Node& node);
    void read_notify(const yaml::Node& node);
    bool read_notify_program(const yaml::Node& node, const std::string& path, Notification& to);
    void read_transfers(const yaml::Node& node);
    void read_matrix(const yaml::Node& node);
    void read_rollout(const yaml::Node& node);
    std::optional<Share> read_share(const yaml::Node& node, const std::string& path, std::size_t min);

    void read_steps(const yaml::Node& list, const std::string& path, std::vector<Step>& to);
    void read_step(const yaml::Node& node, const std::string& path, std::size_t number, std::vector<Step>& to);
    void read_common(const yaml::MapReader& map, const std::string& path, Step& step);
    void read_retry(const yaml::Node& node, const std::string& path, Retry& to);
    void read_ok_codes(const yaml::Node& node, const std::string& path, std::vector<int>& to);
    void read_register(const yaml::MapReader& map, Step& step);
    void read_what(const yaml::MapReader& map, const std::string& path, Step step, std::vector<Step>& to);
    void read_uses(const yaml::MapReader& map, const std::string& path, Step step);
    void check_name_is_new(const yaml::MapReader& map, const std::string& path, const Step& step);

    Parsing& parsing_;
    Model& out_;
    const yaml::Source& source_;
    yaml::Problems problems_;
    const Using* const use_;  // null: this is the job's own file
    NameTable names_;
    FileReader reader_;
    std::vector<EnvVar> env_;
    bool in_finally_ = false;
    bool unknown_key_ = false;  // of the step that is read
};

}  // namespace drover::job
