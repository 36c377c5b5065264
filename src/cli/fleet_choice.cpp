#include "cli/fleet_choice.hpp"

#include "base/home.hpp"
#include "base/log.hpp"
#include "cli/environment.hpp"
#include "cli/serve_config.hpp"

namespace drover::cli {
std::filesystem::path state_dir() {
    // What systemd made for a service, see systemd.exec(5); the first of several.
    const auto service = environment("STATE_DIRECTORY");
    if (std::filesystem::path dir = service.substr(0, service.find(':')); dir.is_absolute()) return dir;
    // The XDG rule: a relative path there is to be ignored.
    if (const std::filesystem::path xdg = environment("XDG_STATE_HOME"); xdg.is_absolute()) return xdg / "drover";
    const auto home = home_directory();
    return home.empty() ? home : home / ".local" / "state" / "drover";
}

Result<FleetOptions> fleet_options(const Context& context) {
    FleetOptions options;
    options.state_dir = state_dir();
    if (context.config) {
        const auto config = read_config(context);
        if (!config) return tl::unexpected(config.error());
        options.state_dir = config->state_dir;
        options.inventory = config->inventory;
        options.transfers = config->transfers;
        log::info("fleet: direct, as {} says (--config)", context.config->string());
        return options;
    }
    if (context.inventory) {
        options.inventory = context.inventory;
        log::info("fleet: direct, inventory {} (--inventory)", options.inventory->string());
    } else if (const auto from_env = environment("DROVER_INVENTORY"); !from_env.empty()) {
        options.inventory = from_env;
        log::info("fleet: direct, inventory {} (DROVER_INVENTORY)", from_env);
    } else {
        log::info("fleet: direct, what the adb server lists (neither --inventory nor DROVER_INVENTORY is given)");
    }
    return options;
}

Result<std::unique_ptr<Fleet>> open_fleet(const Context& context, Opening opening) {
    auto options = fleet_options(context);
    if (!options) return tl::unexpected(options.error());
    options->may_be_empty = opening.phones == Phones::may_come;
    options->deadline = opening.deadline;
    options->connect = opening.connect;
    options->stop = std::move(opening.stop);
    auto fleet = Fleet::open(*options);
    if (!fleet && !options->inventory && fleet.error().code == Code::server_unreachable) {
        return fail(fleet.error().code, fleet.error().message + "; to do without one, give --inventory FILE");
    }
    return fleet;
}

}  // namespace drover::cli
