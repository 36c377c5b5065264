#include "fleet/health.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>
#include <vector>

namespace drover::fleet {
namespace {

constexpr std::string_view kMark = "--drover--";

std::string_view trim(std::string_view text) {
    const auto first = text.find_first_not_of(" \t\r");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

std::optional<std::int64_t> number(std::string_view text) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

std::optional<int> number_between(std::string_view text, std::int64_t min, std::int64_t max) {
    const auto n = number(text);
    if (!n || *n < min || *n > max) return std::nullopt;
    return static_cast<int>(*n);
}

template <class F>
void each_line(std::string_view text, F&& f) {
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        if (const auto line = trim(text.substr(0, end)); !line.empty()) f(line);
        text.remove_prefix(std::min(end + 1, text.size()));
    }
}

void read_battery(std::string_view part, Health& health) {
    each_line(part, [&](std::string_view line) {
        const auto colon = line.find(':');
        if (colon == std::string_view::npos) return;
        const auto key = line.substr(0, colon), value = trim(line.substr(colon + 1));
        if (key == "level") health.battery_percent = number_between(value, 0, 100);
        if (key == "temperature") health.temperature_decicelsius = number_between(value, -1000, 2000);
    });
}

// `df -k`: the fourth column of the line after the head is what is free, in KiB; long device names may take a line of their own.
void read_storage(std::string_view part, Health& health) {
    std::vector<std::string_view> words;
    bool head = true;
    each_line(part, [&](std::string_view line) {
        if (std::exchange(head, false)) return;
        while (!line.empty()) {
            const auto end = std::min(line.find_first_of(" \t"), line.size());
            words.push_back(line.substr(0, end));
            line = trim(line.substr(end));
        }
    });
    for (std::size_t i = 1; i + 2 < words.size(); ++i) {
        // size, used, available: the first three numbers in a row.
        const auto free = number(words[i + 2]);
        if (!number(words[i]) || !number(words[i + 1]) || !free || *free < 0) continue;
        constexpr std::int64_t kKibPerMib = 1024;
        health.storage_free_mib = static_cast<int>(std::min<std::int64_t>(*free / kKibPerMib, 1'000'000'000));
        return;
    }
}

void read_screen(std::string_view part, Health& health) {
    each_line(part, [&](std::string_view line) {
        const auto equals = line.find("mWakefulness=");
        if (equals == std::string_view::npos) return;
        const auto value = line.substr(equals + std::string_view("mWakefulness=").size());
        if (value.starts_with("Awake")) health.screen_on = true;
        if (value.starts_with("Asleep") || value.starts_with("Dozing")) health.screen_on = false;
    });
}

}  // namespace

const std::string_view kHealthLine =
    "dumpsys battery 2>/dev/null; echo --drover--; df -k /data 2>/dev/null; echo --drover--; "
    "getprop sys.boot_completed; echo --drover--; dumpsys power 2>/dev/null | grep mWakefulness=";

Health parse_health(std::string_view answer) {
    Health health;
    for (int part = 0; part < 4; ++part) {
        const auto end = answer.find(kMark);
        const auto text = answer.substr(0, end);
        if (part == 0) read_battery(text, health);
        if (part == 1) read_storage(text, health);
        if (part == 2)
            each_line(text, [&](std::string_view line) {
                if (line == "1") health.booted = true;
                if (line == "0") health.booted = false;
            });
        if (part == 3) read_screen(text, health);
        if (end == std::string_view::npos) break;
        answer.remove_prefix(end + kMark.size());
    }
    return health;
}

std::optional<std::string> unfit(const Health& h, const HealthLimits& limits) {
    if (limits.battery_min_percent && h.battery_percent && *h.battery_percent < *limits.battery_min_percent)
        return fmt::format("battery at {} %, below {} %", *h.battery_percent, *limits.battery_min_percent);
    if (limits.temperature_max_celsius && h.temperature_decicelsius &&
        *h.temperature_decicelsius > *limits.temperature_max_celsius * 10) {
        return fmt::format("battery at {:.1f} °C, above {} °C", *h.temperature_decicelsius / 10.0,
                           *limits.temperature_max_celsius);
    }
    if (limits.storage_min_mib && h.storage_free_mib && *h.storage_free_mib < *limits.storage_min_mib)
        return fmt::format("{} MiB free in /data, below {} MiB", *h.storage_free_mib, *limits.storage_min_mib);
    return std::nullopt;
}

std::string to_string(const Health& h) {
    std::string text;
    const auto add = [&](std::string part) { text += (text.empty() ? "" : ", ") + std::move(part); };
    if (h.battery_percent) add(fmt::format("battery {} %", *h.battery_percent));
    if (h.temperature_decicelsius) add(fmt::format("{:.1f} °C", *h.temperature_decicelsius / 10.0));
    if (h.storage_free_mib) add(fmt::format("{} MiB free", *h.storage_free_mib));
    if (h.screen_on) add(*h.screen_on ? "screen on" : "screen off");
    return text;
}

}  // namespace drover::fleet
