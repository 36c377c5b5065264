// The fleet of a running `drover serve`, through its own HTTP calls.
#pragma once
#include <memory>

#include "cli/herd.hpp"
#include "cli/server_choice.hpp"

namespace drover::cli {

std::unique_ptr<Herd> open_remote_herd(ServerChoice server);

}  // namespace drover::cli
