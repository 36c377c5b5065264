// Any text as drover.yaml: every mistake has its place in one line, and what is accepted is within the documented bounds, listens to
// the network only with TLS or where the file says so, and names no path that a system call would read differently.
#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "base/utf8.hpp"
#include "http/config.hpp"

namespace {

using namespace drover;

void check_path(const std::filesystem::path& path) {
    DROVER_ASSERT(path.native().find('\0') == std::string::npos && (path.empty() || path.is_absolute()));
}

void check_agent(const http::AgentConfig& agent) {
    DROVER_ASSERT(!agent.server_id.empty() && !agent.controller.empty());
    DROVER_ASSERT(agent.retry <= agent.retry_max && agent.poll > Millis(0) && agent.timeout > Millis(0));
    DROVER_ASSERT(agent.parallel >= 1 && agent.parallel <= 64);
    DROVER_ASSERT(!agent.token || !agent.token->empty());
    for (const auto& path : {agent.token_file, agent.access_key_file, agent.ca})
        if (path) check_path(*path);
    for (const auto& [name, file] : agent.jobs) {
        DROVER_ASSERT(name.find('/') == std::string::npos && name != "..");
        check_path(file);
    }
    for (const auto& [name, bucket] : agent.buckets) {
        DROVER_ASSERT(name.find('/') == std::string::npos && name != "..");
        DROVER_ASSERT(bucket.mode <= 0777);
        check_path(bucket.directory);
    }
}

void check(const http::Config& config) {
    for (const auto& address : config.listen) {
        DROVER_ASSERT(!address.is_unix());
        DROVER_ASSERT(config.insecure || config.tls || net::is_loopback(address));
    }
    DROVER_ASSERT(config.threads >= 1 && config.threads <= 64);
    DROVER_ASSERT(config.connections_max >= 1 && config.connections_max <= 1'000'000);
    for (const auto& n : {config.open_jobs_max, config.running_tasks_max}) DROVER_ASSERT(n >= 1 && n <= 100'000'000);
    DROVER_ASSERT(config.keep_count <= 100'000'000);
    for (const auto& wait :
         {config.sync_timeout, config.sync_deadline, config.async_timeout, config.keep, config.drain})
        DROVER_ASSERT(wait > Millis(0));
    for (const auto& path : {config.state_dir, config.tokens, config.access_keys, config.audit}) check_path(path);
    if (config.inventory) check_path(*config.inventory);
    if (config.socket) check_path(*config.socket);
    if (config.tls) {
        check_path(config.tls->certificate);
        check_path(config.tls->key);
    }
    if (config.agent) check_agent(*config.agent);
    DROVER_ASSERT(config.upkeep.breaker_failures <= 1'000'000 && config.upkeep.reconnects_per_second <= 1'000'000);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto config = http::parse_config(as_text({data, size}), "/etc/drover.yaml", {.state_dir = "/var/lib/drover"});
    if (config) {
        check(*config);
        return 0;
    }
    const auto& error = config.error();
    DROVER_ASSERT(error.code == Code::bad_config && error.message.starts_with("/etc/drover.yaml:"));
    DROVER_ASSERT(error.message.find('\n') == std::string::npos);
    return 0;
}
