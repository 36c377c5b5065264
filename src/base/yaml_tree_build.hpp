// Runs yaml-cpp over a text and builds the tree (see yaml_tree.hpp). Its event interface is used, not YAML::Node, which
// keeps duplicate keys, reads past a second document and loses where an alias stands. Pure; any thread; never throws.
#pragma once
#include <string>

#include "base/yaml_tree.hpp"

namespace drover::yaml {

struct BuildError {
    Mark mark;
    std::string message;
};

// `text` passed check_text() and has no byte order mark. expansion_bytes_max: texts of the tree, aliases expanded.
tl::expected<Node, BuildError> build_tree(const std::string& text, std::size_t expansion_bytes_max);

}  // namespace drover::yaml
