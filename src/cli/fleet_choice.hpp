// Which fleet a command is for. Main thread. Failure: Result with one line that says where and what.
#pragma once
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "cli/command.hpp"
#include "drover/fleet.hpp"

namespace drover::cli {

// Direct: --inventory, else DROVER_INVENTORY, else that of --config, else discovery alone; -v says which and why.
Result<FleetOptions> fleet_options(const Context& context);
// Whether no phone at all is an error, where they are found by discovery alone, or more are awaited.
enum class Phones : std::uint8_t { now, may_come };
// What opening may take, as FleetOptions.
struct Opening {
    Phones phones = Phones::now;
    std::optional<std::chrono::milliseconds> deadline = {};
    std::chrono::milliseconds connect = Limits{}.connect;
    std::stop_token stop = {};
};

Result<std::unique_ptr<Fleet>> open_fleet(const Context& context, Opening opening = {});

// $STATE_DIRECTORY of a service, else $XDG_STATE_HOME/drover, else ~/.local/state/drover; empty when there is no home.
std::filesystem::path state_dir();

}  // namespace drover::cli
