#include "http/config.hpp"

#include <sys/stat.h>

#include "base/yaml_tree_reader.hpp"
#include "http/upkeep_config.hpp"

namespace drover::http {
namespace {

constexpr std::string_view kDefaultListen = "127.0.0.1:8090";
constexpr std::int64_t kThreadsMax = 64, kConnectionsMax = 1'000'000, kCountMax = 100'000'000;

constexpr yaml::KeySpec kRootKeys[] = {{"version", true}, {"inventory"}, {"state_dir"}, {"api"},    {"tasks"},
                                       {"log"},           {"stop"},      {"agent"},     {"upkeep"}, {"transfers"}};
constexpr yaml::KeySpec kApiKeys[] = {{"listen"},      {"socket"},       {"insecure"},      {"tls"},
                                      {"tokens"},      {"access_keys"},  {"status_axis"},   {"threads"},
                                      {"connections"}, {"sync_timeout"}, {"sync_deadline"}, {"async_timeout"}};
constexpr yaml::KeySpec kTlsKeys[] = {{"certificate", true}, {"key", true}};
constexpr yaml::KeySpec kTaskKeys[] = {{"keep"}, {"keep_count"}, {"open_jobs"}, {"parallel"}};
constexpr yaml::KeySpec kLogKeys[] = {{"level"}, {"form"}, {"audit"}};
constexpr yaml::KeySpec kStopKeys[] = {{"drain"}};
constexpr yaml::KeySpec kTransferKeys[] = {{"per_host"}, {"per_hub"}};

class ConfigReader {
public:
    ConfigReader(const std::filesystem::path& file, Config& config, yaml::Problems& problems)
        : folder_(file.parent_path()), config_(config), problems_(problems) {}

    void read(const yaml::Node& root) {
        const yaml::MapReader map(root, "", kRootKeys, problems_);
        map.integer("version", 1, 1);
        if (auto path = map.file("inventory", folder_)) config_.inventory = *path;
        if (auto path = map.file("state_dir", folder_)) set_state_dir(*path);
        if (const auto* node = map.find("api")) read_api(*node);
        if (const auto* node = map.find("tasks")) read_tasks(*node);
        if (const auto* node = map.find("log")) read_log(*node);
        if (const auto* node = map.find("agent")) config_.agent = read_agent_config(*node, folder_, problems_);
        if (const auto* node = map.find("upkeep")) read_upkeep(*node, config_.upkeep, problems_);
        if (const auto* node = map.find("transfers")) {
            const yaml::MapReader transfers(*node, "transfers", kTransferKeys, problems_);
            yaml::take(config_.transfers.per_host, transfers.integer("per_host", 1, kCountMax));
            yaml::take(config_.transfers.per_hub, transfers.integer("per_hub", 1, kCountMax));
        }
        if (const auto* node = map.find("stop")) {
            const yaml::MapReader stop(*node, "stop", kStopKeys, problems_);
            yaml::take(config_.drain, stop.duration("drain"));
        }
    }

private:
    void set_state_dir(const std::filesystem::path& dir) {
        config_.state_dir = dir;
        config_.tokens = dir / "tokens.yaml";
        config_.access_keys = dir / "access_keys.yaml";
    }

    void read_api(const yaml::Node& node) {
        const yaml::MapReader map(node, "api", kApiKeys, problems_);
        if (const auto listen = map.strings("listen")) read_listen(map, *listen);
        read_socket(map);
        yaml::take(config_.insecure, map.boolean("insecure"));
        if (const auto* tls = map.find("tls")) {
            const yaml::MapReader files(*tls, "api.tls", kTlsKeys, problems_);
            const auto certificate = files.file("certificate", folder_), key = files.file("key", folder_);
            if (certificate && key) config_.tls = net::TlsFiles{*certificate, *key};
        }
        yaml::take(config_.tokens, map.file("tokens", folder_));
        yaml::take(config_.access_keys, map.file("access_keys", folder_));
        if (const auto axis = map.word("status_axis", {"lifecycle", "activity"})) {
            config_.status_axis = *axis == "activity" ? StatusAxis::activity : StatusAxis::lifecycle;
        }
        yaml::take(config_.threads, map.integer("threads", 1, kThreadsMax));
        yaml::take(config_.connections_max, map.integer("connections", 1, kConnectionsMax));
        yaml::take(config_.sync_timeout, map.duration("sync_timeout"));
        yaml::take(config_.sync_deadline, map.duration("sync_deadline"));
        yaml::take(config_.async_timeout, map.duration("async_timeout"));
        for (const auto& address : config_.listen) {
            if (net::is_loopback(address) || config_.tls || config_.insecure) continue;
            map.problem(
                "listen",
                to_string(address) +
                    " is reachable from other hosts: configure `tls`, listen on 127.0.0.1, or say `insecure: true`");
        }
    }

    void read_listen(const yaml::MapReader& map, const std::vector<std::string>& texts) {
        config_.listen.clear();
        for (const auto& text : texts) {
            auto address = net::parse_listen_address(text);
            if (!address) {
                map.problem("listen", address.error().message);
            } else if (address->is_unix()) {
                map.problem("listen", "a Unix socket goes to `socket`");
            } else {
                config_.listen.push_back(std::move(*address));
            }
        }
    }

    void read_socket(const yaml::MapReader& map) {
        const auto text = map.string("socket");
        if (!text) return;
        if (text->find('\0') != std::string::npos) map.problem("socket", yaml::kNulInPath);
        config_.socket = text->empty() ? std::filesystem::path() : folder_ / *text;
        if (!text->empty() && config_.socket->string().size() > net::kUnixPathBytesMax)
            map.problem("socket", "the path is too long for a Unix socket");
    }

    void read_tasks(const yaml::Node& node) {
        const yaml::MapReader map(node, "tasks", kTaskKeys, problems_);
        yaml::take(config_.keep, map.duration("keep"));
        yaml::take(config_.keep_count, map.integer("keep_count", 0, kCountMax));
        yaml::take(config_.open_jobs_max, map.integer("open_jobs", 1, kCountMax));
        yaml::take(config_.running_tasks_max, map.integer("parallel", 1, kCountMax));
    }

    void read_log(const yaml::Node& node) {
        const yaml::MapReader map(node, "log", kLogKeys, problems_);
        yaml::take(config_.log_level, map.word("level", {"debug", "info", "warn", "error"}));
        if (const auto form = map.word("form", {"text", "json"})) config_.log_json = *form == "json";
        yaml::take(config_.audit, map.file("audit", folder_));
    }

    const std::filesystem::path folder_;
    Config& config_;
    yaml::Problems& problems_;
};

}  // namespace

Config default_config(const ConfigDefaults& defaults) {
    Config config;
    config.state_dir = defaults.state_dir;
    config.tokens = config.state_dir / "tokens.yaml";
    config.access_keys = config.state_dir / "access_keys.yaml";
    config.upkeep = default_upkeep();
    config.listen.push_back(*net::parse_listen_address(kDefaultListen));
    return config;
}

Result<Config> parse_config(std::string_view text, const std::filesystem::path& file, const ConfigDefaults& defaults) {
    const yaml::Source source{file.string(), Code::bad_config};
    const auto root = yaml::parse(text, source);
    if (!root) return tl::unexpected(root.error());
    auto config = default_config(defaults);
    yaml::Problems problems(source);
    ConfigReader(std::filesystem::absolute(file), config, problems).read(*root);
    if (!problems.empty()) return problems.unexpected();
    return config;
}

Result<Config> load_config(const std::filesystem::path& file, const ConfigDefaults& defaults) {
    const auto text = yaml::read_text({file.string(), Code::bad_config});
    if (!text) return tl::unexpected(text.error());
    auto config = parse_config(*text, file, defaults);
    struct stat info {};
    if (config && config->agent && config->agent->token && ::stat(file.c_str(), &info) == 0 &&
        (info.st_mode & 0077) != 0) {
        return fail(Code::bad_config, file.string() + ": others may read agent.token; chmod 600 it, or use token_file");
    }
    return config;
}

}  // namespace drover::http
