// The `agent:` part of drover.yaml: which controller this host takes commands from, and which local job files they may run.
// Values; any thread. Failure: problems with their position, together with those of the rest of the file.
#pragma once
#include <sys/types.h>

#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "base/yaml_tree_reader.hpp"
#include "net/address.hpp"

namespace drover::http {

struct LogBucket {
    std::filesystem::path directory;
    ::mode_t mode = 0750;  // what RSET_LOG_ACL sets it to
};

struct AgentConfig {
    std::string controller;  // as written
    net::Url url;
    std::string server_id;
    // One of these; none: an access key from the environment.
    std::optional<std::string> token;
    std::optional<std::filesystem::path> token_file, access_key_file;
    std::optional<std::filesystem::path> ca;
    Millis poll{30'000}, timeout{10'000}, retry{1'000}, retry_max{300'000};
    std::size_t parallel = 4;                           // START and SYNC at once
    std::map<std::string, std::filesystem::path> jobs;  // by task_id
    std::map<std::string, LogBucket> buckets;           // by name
};

// A task_id or a bucket that may name a file: [A-Za-z0-9][A-Za-z0-9._-]*, at most 64.
bool is_plain_name(std::string_view text);

std::optional<AgentConfig> read_agent_config(const yaml::Node& node, const std::filesystem::path& folder,
                                             yaml::Problems& problems);

}  // namespace drover::http
