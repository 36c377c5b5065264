// The kinds of step that there are: one table that parser, schema and documentation share. Constants; any thread.
#pragma once
#include <memory>
#include <span>
#include <string>

#include "base/yaml_tree_reader.hpp"
#include "job/action.hpp"
#include "job/file_reader.hpp"

namespace drover::job {

struct StepKind {
    yaml::KeySpec key;                      // of the step's map
    std::span<const yaml::KeySpec> values;  // the keys of its value, where that is a map
    // Reads the value of the key. Null: reported.
    std::shared_ptr<const Action> (*read)(const yaml::Node& value, const std::string& path, FileReader& reader);
    bool takes_env = false;  // `env` has a meaning: it runs a command line, or a program
    bool has_code = false;   // `ok-codes` has one: what it runs ends the step, with an exit code
};

std::span<const StepKind> step_kinds();
// "run, host-run …", for people.
std::string kinds_with_env();
std::string kinds_with_code();

}  // namespace drover::job
