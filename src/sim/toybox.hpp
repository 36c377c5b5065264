// What the host's toybox can do. Blocks for as long as a short program runs: start-up only. Failure: it does not start, or
// does not say it in time.
#pragma once
#include <set>
#include <string>

#include "drover/error.hpp"

namespace drover::sim {

Result<std::set<std::string>> toybox_applets(const std::string& path);

}  // namespace drover::sim
