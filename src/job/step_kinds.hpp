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
};

std::span<const StepKind> step_kinds();

}  // namespace drover::job
