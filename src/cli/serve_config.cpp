#include "cli/serve_config.hpp"

#include <unistd.h>

#include <cstdlib>
#include <utility>

#include "base/log.hpp"
#include "cli/fleet_choice.hpp"
#include "fleet/marks.hpp"

namespace drover::cli {
namespace {

const std::filesystem::path kSystemSocket = "/run/drover/drover.sock";

std::filesystem::path user_socket() {
    const char* dir = std::getenv("XDG_RUNTIME_DIR");
    return dir && *dir == '/' ? std::filesystem::path(dir) / "drover.sock" : std::filesystem::path();
}

}  // namespace

Result<http::Config> read_config(const Context& context) {
    const http::ConfigDefaults defaults{state_dir()};
    auto config = context.config ? http::load_config(*context.config, defaults)
                                 : Result<http::Config>(http::default_config(defaults));
    if (!config) return config;
    const char* from_env = std::getenv("DROVER_INVENTORY");
    if (context.inventory) {
        config->inventory = context.inventory;
    } else if (from_env && *from_env) {
        config->inventory = from_env;
    }
    return config;
}

void set_up_log(const http::Config& config) {
    if (config.log_level == "debug") log::set_level(log::Level::debug);
    if (config.log_level == "info") log::set_level(log::Level::info);
    if (config.log_level == "warn") log::set_level(log::Level::warn);
    if (config.log_level == "error") log::set_level(log::Level::error);
    if (config.log_json) log::set_form(log::Form::json);
}

FleetOptions fleet_options(const http::Config& config, std::stop_token stop) {
    FleetOptions options;
    options.inventory = config.inventory;
    options.state_dir = config.state_dir;
    options.may_be_empty = true;
    options.upkeep = config.upkeep;
    options.transfers = config.transfers;
    options.stop = std::move(stop);
    return options;
}

std::vector<std::filesystem::path> phone_files(const http::Config& config) {
    std::vector<std::filesystem::path> files{fleet::marks_file(config.state_dir)};
    if (config.inventory) files.push_back(*config.inventory);
    return files;
}

std::filesystem::path default_socket_to_make() {
    if (auto user = user_socket(); !user.empty()) return user;
    return ::access(kSystemSocket.parent_path().c_str(), W_OK) == 0 ? kSystemSocket : std::filesystem::path();
}

std::filesystem::path default_socket_to_use() {
    std::error_code error;
    if (auto user = user_socket(); !user.empty() && std::filesystem::is_socket(user, error)) return user;
    return std::filesystem::is_socket(kSystemSocket, error) ? kSystemSocket : std::filesystem::path();
}

}  // namespace drover::cli
