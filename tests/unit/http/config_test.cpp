#include "http/config.hpp"

#include <gtest/gtest.h>

#include "support/temp_dir.hpp"
#include "where.hpp"

namespace drover::http {
namespace {

const ConfigDefaults kDefaults{"/state"};

Result<Config> parse_text(std::string_view text) { return parse_config(text, "/etc/drover/drover.yaml", kDefaults); }
std::string mistake(std::string_view text) {
    const auto config = parse_text(text);
    return config ? "" : config.error().message;
}

// The documented file says every key with its default; nothing in it may change anything.
TEST(Config, TheDocumentedFileIsTheDefaults) {
    const auto text = test::read_file(std::filesystem::path(DROVER_SOURCE_DIR) / "config" / "drover.yaml");
    const auto config = parse_text(text);
    ASSERT_TRUE(config) << config.error().message;
    const auto defaults = default_config(kDefaults);
    EXPECT_EQ(config->listen.size(), 1U);
    EXPECT_EQ(net::to_string(config->listen.at(0)), net::to_string(defaults.listen.at(0)));
    EXPECT_EQ(config->threads, defaults.threads);
    EXPECT_EQ(config->connections_max, defaults.connections_max);
    EXPECT_EQ(config->sync_timeout, defaults.sync_timeout);
    EXPECT_EQ(config->sync_deadline, defaults.sync_deadline);
    EXPECT_EQ(config->async_timeout, defaults.async_timeout);
    EXPECT_EQ(config->status_axis, defaults.status_axis);
    EXPECT_EQ(config->keep, defaults.keep);
    EXPECT_EQ(config->keep_count, defaults.keep_count);
    EXPECT_EQ(config->open_jobs_max, defaults.open_jobs_max);
    EXPECT_EQ(config->running_tasks_max, defaults.running_tasks_max);
    EXPECT_EQ(config->log_level, defaults.log_level);
    EXPECT_EQ(config->log_json, defaults.log_json);
    EXPECT_EQ(config->drain, defaults.drain);
    EXPECT_EQ(config->transfers.per_host, defaults.transfers.per_host);
    EXPECT_EQ(config->transfers.per_hub, defaults.transfers.per_hub);
    EXPECT_EQ(config->upkeep.reconnects_per_second, defaults.upkeep.reconnects_per_second);
    EXPECT_EQ(config->upkeep.breaker_failures, defaults.upkeep.breaker_failures);
    EXPECT_EQ(config->upkeep.breaker_pause, defaults.upkeep.breaker_pause);
    EXPECT_EQ(config->upkeep.alive_every, defaults.upkeep.alive_every);
    EXPECT_EQ(config->upkeep.alive_answer, defaults.upkeep.alive_answer);
    EXPECT_EQ(config->upkeep.health_every, defaults.upkeep.health_every);
    EXPECT_TRUE(config->upkeep.ladder.empty()) << "nothing that changes a phone is on by default";
    // Keys that are commented out are documented too.
    for (const char* key :
         {"inventory:", "state_dir:", "insecure:", "socket:", "tls:", "certificate:", "key:", "tokens:", "access_keys:",
          "audit:", "battery_min:", "temperature_max:", "storage_min_mib:", "ladder:"}) {
        EXPECT_NE(text.find(key), std::string::npos) << key;
    }
}

TEST(Config, ReadsWhatIsSaid) {
    const auto config = parse_text(
        "version: 1\ninventory: inv.yaml\nstate_dir: /var/lib/drover\napi:\n  listen: ['[::1]:1', 'localhost:2']\n  "
        "socket: ''\n"
        "  status_axis: activity\n  sync_timeout: 2s\ntasks: {keep: 1h, parallel: 3}\nlog: {level: warn, form: json, "
        "audit: a.log}\nstop: {drain: 1s}\ntransfers: {per_hub: 2}\n");
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_EQ(config->inventory, "/etc/drover/inv.yaml");
    EXPECT_EQ(config->transfers.per_hub, 2U);
    EXPECT_EQ(config->tokens, "/var/lib/drover/tokens.yaml");
    EXPECT_EQ(config->listen.size(), 2U);
    EXPECT_EQ(config->socket, std::filesystem::path());
    EXPECT_EQ(config->status_axis, StatusAxis::activity);
    EXPECT_EQ(config->sync_timeout, Millis(2000));
    EXPECT_EQ(config->keep, Millis(3'600'000));
    EXPECT_EQ(config->running_tasks_max, 3U);
    EXPECT_TRUE(config->log_json);
    EXPECT_EQ(config->audit, "/etc/drover/a.log");
    EXPECT_EQ(config->drain, Millis(1000));
}

TEST(Config, Upkeep) {
    const auto config = parse_text(
        "version: 1\nupkeep:\n  reconnects_per_second: 7\n  breaker: {failures: 3, pause: 9s}\n"
        "  alive: {every: 40s, answer: 3s}\n"
        "  health: {every: 1m, battery_min: 15, temperature_max: 45, storage_min_mib: 500}\n"
        "  ladder: [{do: reconnect, after: 2m}, {do: usb-reset, check: 3s}, {do: reboot}, {do: ask}]\n");
    ASSERT_TRUE(config) << config.error().message;
    const Upkeep& upkeep = config->upkeep;
    EXPECT_EQ(upkeep.reconnects_per_second, 7U);
    EXPECT_EQ(upkeep.breaker_failures, 3U);
    EXPECT_EQ(upkeep.breaker_pause, Millis(9000));
    EXPECT_EQ(upkeep.alive_every, Millis(40'000));
    EXPECT_EQ(upkeep.alive_answer, Millis(3000));
    EXPECT_EQ(upkeep.health_every, Millis(60'000));
    EXPECT_EQ(upkeep.limits.battery_min_percent, 15);
    EXPECT_EQ(upkeep.limits.temperature_max_celsius, 45);
    EXPECT_EQ(upkeep.limits.storage_min_mib, 500);
    ASSERT_EQ(upkeep.ladder.size(), 4U);
    EXPECT_EQ(upkeep.ladder[0].after, Millis(120'000));
    EXPECT_EQ(upkeep.ladder[1].kind, RungKind::usb_reset);
    EXPECT_EQ(upkeep.ladder[1].check, Millis(3000));
    EXPECT_EQ(upkeep.ladder[2].kind, RungKind::reboot);
    EXPECT_EQ(upkeep.ladder[3].kind, RungKind::ask);
    EXPECT_NE(mistake("version: 1\nupkeep: {ladder: [{do: rebot}]}").find("reboot"), std::string::npos);
    EXPECT_NE(mistake("version: 1\nupkeep: {ladder: [{after: 1s}]}").find("do"), std::string::npos);
    EXPECT_NE(mistake("version: 1\nupkeep: {health: {battery_min: 101}}").find("battery_min"), std::string::npos);
    const auto never = parse_text("version: 1\nupkeep: {alive: {every: 0s}, health: {every: 0s}}\n");
    ASSERT_TRUE(never) << never.error().message;
    EXPECT_EQ(never->upkeep.alive_every, Millis(0));
    EXPECT_EQ(never->upkeep.health_every, Millis(0));
    EXPECT_NE(mistake("version: 1\nupkeep: {alive: {every: 1ms}}").find("1s at least"), std::string::npos);
    EXPECT_NE(mistake("version: 1\nupkeep: {alive: {answer: 1ms}}").find("1s at least"), std::string::npos);
    EXPECT_NE(mistake("version: 1\nupkeep: {health: {every: 1ms}}").find("1s at least"), std::string::npos);
}

TEST(Config, MistakesAreToldWithTheirPlace) {
    EXPECT_NE(mistake("api: {}").find("version"), std::string::npos);
    EXPECT_EQ(mistake("version: 1\napi: {lisen: ['127.0.0.1:1']}").substr(0, 26), "/etc/drover/drover.yaml:2:");
    EXPECT_NE(mistake("version: 1\napi: {listen: ['127.0.0.1']}").find("the port is missing"), std::string::npos);
    EXPECT_NE(mistake("version: 1\napi: {listen: ['unix:/x']}").find("socket"), std::string::npos);
    EXPECT_NE(mistake("version: 1\napi: {sync_timeout: 5}").find("sync_timeout"), std::string::npos);
    EXPECT_NE(mistake("version: 1\napi: {status_axis: both}").find("status_axis"), std::string::npos);
    EXPECT_NE(mistake("version: 1\napi: {socket: " + std::string(120, 's') + "}").find("too long"), std::string::npos);
}

TEST(Config, APathHasNoNul) {
    for (const char* text : {"state_dir: \"a\\0b\"", "api: {socket: \"/run/x\\0y\"}", "api: {tokens: \"\\0\"}",
                             "agent: {controller: 'https://c', server_id: s, token: t, jobs: {a: \"b\\0\"}}",
                             "agent: {controller: 'https://c', server_id: s, token: t, ca: \"b\\0\"}"})
        EXPECT_TRUE(mistake(std::string("version: 1\n") + text).ends_with("a path has no NUL character")) << text;
}

TEST(Config, OffLoopbackNeedsTlsOrAWord) {
    EXPECT_NE(mistake("version: 1\napi: {listen: ['0.0.0.0:1']}").find("insecure: true"), std::string::npos);
    EXPECT_EQ(mistake("version: 1\napi: {listen: ['0.0.0.0:1'], insecure: true}"), "");
    EXPECT_EQ(mistake("version: 1\napi: {listen: ['0.0.0.0:1'], tls: {certificate: c, key: k}}"), "");
}

}  // namespace
}  // namespace drover::http
