#include "http/upkeep_config.hpp"

#include <fmt/format.h>

namespace drover::http {
namespace {

constexpr yaml::KeySpec kUpkeepKeys[] = {{"reconnects_per_second"}, {"breaker"}, {"alive"}, {"health"}, {"ladder"}};
constexpr yaml::KeySpec kBreakerKeys[] = {{"failures"}, {"pause"}};
constexpr yaml::KeySpec kAliveKeys[] = {{"every"}, {"answer"}};
constexpr yaml::KeySpec kHealthKeys[] = {{"every"}, {"battery_min"}, {"temperature_max"}, {"storage_min_mib"}};
constexpr yaml::KeySpec kRungKeys[] = {{"do", true}, {"after"}, {"check"}};
constexpr std::size_t kRungsMax = 16;
constexpr std::chrono::seconds kShortest{1};

RungKind kind_of(const std::string& word) {
    for (const auto kind : {RungKind::reconnect, RungKind::usb_reset, RungKind::reboot}) {
        if (word == to_string(kind)) return kind;
    }
    return RungKind::ask;
}

void read_breaker(const yaml::Node& node, Upkeep& upkeep, yaml::Problems& problems) {
    const yaml::MapReader map(node, "upkeep.breaker", kBreakerKeys, problems);
    if (const auto n = map.integer("failures", 1, 1'000'000)) upkeep.breaker_failures = static_cast<std::size_t>(*n);
    if (const auto pause = map.duration("pause")) upkeep.breaker_pause = *pause;
}

// `0s` is no duration anywhere else.
void read_every(const yaml::MapReader& map, std::chrono::milliseconds& to) {
    const yaml::Node* const node = map.find("every");
    if (node && node->is_scalar() && node->text == "0s") {
        to = std::chrono::milliseconds(0);
    } else if (const auto every = map.duration("every")) {
        to = *every;
        if (*every < kShortest) map.problem("every", "0s (never), or 1s at least");
    }
}

void read_alive(const yaml::Node& node, Upkeep& upkeep, yaml::Problems& problems) {
    const yaml::MapReader map(node, "upkeep.alive", kAliveKeys, problems);
    read_every(map, upkeep.alive_every);
    if (const auto answer = map.duration("answer")) {
        upkeep.alive_answer = *answer;
        if (*answer < kShortest) map.problem("answer", "1s at least");
    }
}

void read_health(const yaml::Node& node, Upkeep& upkeep, yaml::Problems& problems) {
    const yaml::MapReader map(node, "upkeep.health", kHealthKeys, problems);
    read_every(map, upkeep.health_every);
    const auto limit = [&](std::string_view key, std::int64_t max, std::optional<int>& to) {
        if (const auto n = map.integer(key, 0, max)) to = static_cast<int>(*n);
    };
    limit("battery_min", 100, upkeep.limits.battery_min_percent);
    limit("temperature_max", 100, upkeep.limits.temperature_max_celsius);
    limit("storage_min_mib", 100'000'000, upkeep.limits.storage_min_mib);
}

void read_ladder(const yaml::Node& node, Upkeep& upkeep, yaml::Problems& problems) {
    upkeep.ladder.clear();
    if (!node.is_sequence()) return problems.add(node.mark, "upkeep.ladder", "a list of rungs is expected");
    if (node.items.size() > kRungsMax)
        return problems.add(node.mark, "upkeep.ladder", fmt::format("at most {} rungs", kRungsMax));
    for (std::size_t i = 0; i < node.items.size(); ++i) {
        const yaml::MapReader map(node.items[i], fmt::format("upkeep.ladder[{}]", i), kRungKeys, problems);
        Rung rung;
        if (const auto word = map.word("do", {"reconnect", "usb-reset", "reboot", "ask"})) rung.kind = kind_of(*word);
        if (const auto after = map.duration("after")) rung.after = *after;
        if (const auto check = map.duration("check")) rung.check = *check;
        upkeep.ladder.push_back(rung);
    }
}

}  // namespace

Upkeep default_upkeep() {
    Upkeep upkeep;
    upkeep.health_every = std::chrono::minutes(5);
    return upkeep;
}

void read_upkeep(const yaml::Node& node, Upkeep& upkeep, yaml::Problems& problems) {
    const yaml::MapReader map(node, "upkeep", kUpkeepKeys, problems);
    if (const auto n = map.integer("reconnects_per_second", 1, 1'000'000))
        upkeep.reconnects_per_second = static_cast<std::size_t>(*n);
    if (const auto* breaker = map.find("breaker")) read_breaker(*breaker, upkeep, problems);
    if (const auto* alive = map.find("alive")) read_alive(*alive, upkeep, problems);
    if (const auto* health = map.find("health")) read_health(*health, upkeep, problems);
    if (const auto* ladder = map.find("ladder")) read_ladder(*ladder, upkeep, problems);
}

}  // namespace drover::http
