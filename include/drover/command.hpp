// What to run on a phone, and within which limits. A plain value; any thread.
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace drover {

struct Limits {
    using Millis = std::chrono::milliseconds;

    Millis total{10'000};                 // per phone, from leaving the queue to its row, connecting included
    Millis connect{5'000};                // until the phone has a link; a phone that is not there by then is CPS.0005
    Millis auth{5'000};                   // until the phone has accepted a key
    Millis open{5'000};                   // until the phone has opened the command
    std::optional<Millis> first_byte;     // until the first output byte; off
    std::optional<Millis> silence;        // between output bytes; off
    std::size_t max_output_bytes = 1024;  // what a row keeps; the rest is drained and counted
};

struct Command {
    std::string text;  // a shell line, as adb sends it
    Limits limits;
};

}  // namespace drover
