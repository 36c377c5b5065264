#include "http/agent_config.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/ascii.hpp"
#include "http/source_body.hpp"

namespace drover::http {
namespace {

constexpr std::size_t kPlainNameMax = 64, kJobsMax = 10'000, kBucketsMax = 1'000;
constexpr std::int64_t kParallelMax = 64;

constexpr yaml::KeySpec kAgentKeys[] = {{"controller", true},
                                        {"server_id", true},
                                        {"token"},
                                        {"token_file"},
                                        {"access_key_file"},
                                        {"ca"},
                                        {"insecure"},
                                        {"poll"},
                                        {"timeout"},
                                        {"retry"},
                                        {"retry_max"},
                                        {"parallel"},
                                        {"jobs"},
                                        {"buckets"}};
constexpr yaml::KeySpec kBucketKeys[] = {{"directory", true}, {"mode"}};

class AgentReader {
public:
    AgentReader(const yaml::Node& node, const std::filesystem::path& folder, yaml::Problems& problems)
        : map_(node, "agent", kAgentKeys, problems), folder_(folder), problems_(problems) {}

    AgentConfig read() {
        read_controller();
        read_credentials();
        yaml::take(config_.poll, map_.duration("poll"));
        yaml::take(config_.timeout, map_.duration("timeout"));
        yaml::take(config_.retry, map_.duration("retry"));
        yaml::take(config_.retry_max, map_.duration("retry_max"));
        if (config_.retry > config_.retry_max) map_.problem("retry", "is longer than retry_max");
        yaml::take(config_.parallel, map_.integer("parallel", 1, kParallelMax));
        read_jobs();
        if (const auto* buckets = map_.find("buckets")) read_buckets(*buckets);
        return std::move(config_);
    }

private:
    void read_controller() {
        yaml::take(config_.server_id, map_.string("server_id"));
        if (map_.find("server_id") && !valid_server_id(config_.server_id))
            map_.problem("server_id", "must have 1 to 255 characters");
        const auto text = map_.string("controller");
        const bool insecure = map_.boolean("insecure").value_or(false);
        config_.ca = map_.file("ca", folder_);
        if (!text) return;
        config_.controller = *text;
        auto url = net::parse_url(*text);
        if (!url) return map_.problem("controller", url.error().message);
        config_.url = std::move(*url);
        if (!config_.url.tls && !net::is_loopback(config_.url.address) && !insecure) {
            map_.problem("controller", "would carry the credentials in the clear: write https://, or `insecure: true`");
        }
    }

    void read_credentials() {
        config_.token = map_.string("token");
        config_.token_file = map_.file("token_file", folder_);
        config_.access_key_file = map_.file("access_key_file", folder_);
        const int ways = (config_.token ? 1 : 0) + (config_.token_file ? 1 : 0) + (config_.access_key_file ? 1 : 0);
        if (ways > 1) map_.problem("server_id", "give one of token, token_file and access_key_file");
        if (config_.token && config_.token->empty()) map_.problem("token", "is empty");
    }

    void read_jobs() {
        const auto jobs = map_.string_map("jobs");
        if (!jobs) return;
        if (jobs->size() > kJobsMax) map_.problem("jobs", fmt::format("more than {} entries", kJobsMax));
        for (const auto& job : *jobs) {
            if (!is_plain_name(job.key)) problems_.add(job.key_mark, "agent.jobs", name_rule("a task_id"));
            if (job.value.find('\0') != std::string::npos) problems_.add(job.mark, "agent.jobs", yaml::kNulInPath);
            config_.jobs.emplace(job.key, folder_ / job.value);
        }
    }

    void read_buckets(const yaml::Node& node) {
        if (!node.is_map()) return map_.problem("buckets", "must be a map of names to directories");
        if (node.entries.size() > kBucketsMax)
            map_.problem("buckets", fmt::format("more than {} entries", kBucketsMax));
        for (const auto& entry : node.entries) {
            if (!is_plain_name(entry.key)) problems_.add(entry.key_mark, "agent.buckets", name_rule("a bucket"));
            const yaml::MapReader map(entry.value, "agent.buckets." + entry.key, kBucketKeys, problems_);
            LogBucket bucket;
            yaml::take(bucket.directory, map.file("directory", folder_));
            if (const auto mode = map.string("mode")) {
                const bool octal = mode->size() == 4 && mode->front() == '0' &&
                                   mode->find_first_not_of("01234567") == std::string::npos;
                if (octal) {
                    bucket.mode = static_cast<::mode_t>(std::stoul(*mode, nullptr, 8));
                } else {
                    map.problem("mode", "is four octal digits that begin with 0, such as '0750'");
                }
            }
            config_.buckets.emplace(entry.key, std::move(bucket));
        }
    }

    static std::string name_rule(std::string_view what) {
        return fmt::format("{} here has letters, digits, '.', '_' and '-', at most {}, and begins with no sign", what,
                           kPlainNameMax);
    }

    const yaml::MapReader map_;
    const std::filesystem::path& folder_;
    yaml::Problems& problems_;
    AgentConfig config_;
};

}  // namespace

bool is_plain_name(std::string_view text) {
    return !text.empty() && text.size() <= kPlainNameMax && is_alnum(text.front()) &&
           std::all_of(text.begin(), text.end(),
                       [](char c) { return is_alnum(c) || c == '.' || c == '_' || c == '-'; });
}

std::optional<AgentConfig> read_agent_config(const yaml::Node& node, const std::filesystem::path& folder,
                                             yaml::Problems& problems) {
    const auto before = problems.count();
    auto config = AgentReader(node, folder, problems).read();
    return problems.count() == before ? std::optional(std::move(config)) : std::nullopt;
}

}  // namespace drover::http
