// drover.yaml: what `drover serve` listens on, where its state lives, who may call. config/drover.yaml documents every key.
//
// Values; any thread. Failure: Code::bad_config with "FILE:LINE:COLUMN: message". Relative paths are below the file's folder.
#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/duration.hpp"
#include "drover/error.hpp"
#include "drover/fleet.hpp"
#include "drover/upkeep.hpp"
#include "http/agent_config.hpp"
#include "http/answer.hpp"
#include "net/address.hpp"
#include "net/tls.hpp"

namespace drover::http {

struct Config {
    std::optional<std::filesystem::path> inventory;
    std::filesystem::path state_dir;

    std::vector<net::ListenAddress> listen;
    std::optional<std::filesystem::path> socket;  // set, but empty: none
    bool insecure = false;
    std::optional<net::TlsFiles> tls;
    std::filesystem::path tokens, access_keys;
    StatusAxis status_axis = StatusAxis::lifecycle;
    std::size_t threads = 1;
    std::size_t connections_max = 20'000;
    Millis sync_timeout{5'000}, sync_deadline{30'000}, async_timeout{600'000};

    Millis keep{std::chrono::hours(168)};
    std::size_t keep_count = 100'000;
    std::size_t open_jobs_max = 100'000;
    std::size_t running_tasks_max = 64;

    std::optional<AgentConfig> agent;

    std::string log_level = "info";
    bool log_json = false;
    std::filesystem::path audit;
    Millis drain{10'000};
    Upkeep upkeep;
    TransferTurns transfers;
};

// Where things are when the file does not say.
struct ConfigDefaults {
    std::filesystem::path state_dir;
};

Config default_config(const ConfigDefaults& defaults);
Result<Config> parse_config(std::string_view text, const std::filesystem::path& file, const ConfigDefaults& defaults);
Result<Config> load_config(const std::filesystem::path& file, const ConfigDefaults& defaults);

}  // namespace drover::http
