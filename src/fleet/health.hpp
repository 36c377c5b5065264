// A phone's health, read now and then: battery, free storage, boot, screen. One shell line; what a phone does not tell stays unknown.
// Pure; any thread; values are the caller's. Failure: none; any text is survived.
#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "drover/upkeep.hpp"

namespace drover::fleet {

struct Health {
    std::optional<int> battery_percent;
    std::optional<int> temperature_decicelsius;  // of the battery; 312 is 31.2 °C
    std::optional<int> storage_free_mib;         // in /data
    std::optional<bool> booted;
    std::optional<bool> screen_on;
    std::chrono::system_clock::time_point read_at{};
};

// What to ask: nothing in it changes the phone.
extern const std::string_view kHealthLine;
Health parse_health(std::string_view answer);
// Why the phone is not fit for commands, in one line; nullopt: it is, as far as is known.
std::optional<std::string> unfit(const Health& health, const HealthLimits& limits);
std::string to_string(const Health& health);  // "battery 81 %, 31.2 °C, 5120 MiB free, screen off"

}  // namespace drover::fleet
