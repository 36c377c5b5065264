// The configuration as the command line sees it, and where the Unix socket of a running `drover serve` is. Main thread.
#pragma once
#include <filesystem>
#include <optional>
#include <stop_token>
#include <vector>

#include "cli/command.hpp"
#include "drover/fleet.hpp"
#include "http/config.hpp"

namespace drover::cli {

// The file of --config, else the defaults; --inventory and DROVER_INVENTORY before the file's inventory.
Result<http::Config> read_config(const Context& context);

// What the configuration says of the log; for the whole process.
void set_up_log(const http::Config& config);

// The fleet of a service: it may be empty, as phones may come, and it looks after them. stop: FleetOptions'.
FleetOptions fleet_options(const http::Config& config, std::stop_token stop = {});
// Files whose change calls for reading the phones again.
std::vector<std::filesystem::path> phone_files(const http::Config& config);

// $XDG_RUNTIME_DIR/drover.sock, else /run/drover/drover.sock where its folder exists; empty: neither.
std::filesystem::path default_socket_to_make();
// The one that exists, in the same order; empty: none.
std::filesystem::path default_socket_to_use();

}  // namespace drover::cli
