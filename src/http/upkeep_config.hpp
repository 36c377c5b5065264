// The `upkeep` section of drover.yaml: reconnecting, health, recovery. Values; any thread. Failure: problems, with their place.
#pragma once
#include "base/yaml_tree_reader.hpp"
#include "drover/upkeep.hpp"

namespace drover::http {

// What `drover serve` does where the file says nothing: it reads health now and then, and changes no phone.
Upkeep default_upkeep();
void read_upkeep(const yaml::Node& node, Upkeep& upkeep, yaml::Problems& problems);

}  // namespace drover::http
