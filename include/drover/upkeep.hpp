// What drover does by itself to keep phones well: how often it reconnects, which facts it reads, when a phone is taken out of
// service, and what it tries when a phone stays away. Plain values; any thread.
//
// Nothing here changes a phone unless it is asked for: the ladder is empty by default.
#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace drover {

// A phone past one of these takes no commands until it is well again. Not set: not looked at.
struct HealthLimits {
    std::optional<int> battery_min_percent;
    std::optional<int> temperature_max_celsius;  // of the battery
    std::optional<int> storage_min_mib;          // free in /data
};

// One step to bring a phone back. `ask` does nothing but say that a person has to look.
enum class RungKind : std::uint8_t { reconnect, usb_reset, reboot, ask };
std::string_view to_string(RungKind kind);  // "reconnect", "usb-reset", "reboot", "ask"

struct Rung {
    RungKind kind = RungKind::ask;
    std::chrono::milliseconds after{0};       // of trouble, or of the rung before, until this one is tried
    std::chrono::milliseconds check{60'000};  // by then the phone must run, or the next rung is due
};

struct Upkeep {
    // Of all phones together: a hub that comes back, or a whole rack that is dark, does not become a storm.
    std::size_t reconnects_per_second = 500;
    // That many failed attempts in a row open a phone's breaker: from then on it is tried once per pause.
    std::size_t breaker_failures = 250;
    std::chrono::milliseconds breaker_pause{30'000};
    // An idle phone is asked that often whether it still answers, and has that long to; 0: it is not asked.
    std::chrono::milliseconds alive_every{30'000};
    std::chrono::milliseconds alive_answer{10'000};
    std::chrono::milliseconds health_every{0};  // 0: health is not read
    HealthLimits limits;
    std::vector<Rung> ladder;
};

}  // namespace drover
