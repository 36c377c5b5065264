// Durations as users write them: digits, at most one decimal point, and a unit that is never left out: ms s m h.
// Pure; any thread.
#pragma once
#include <chrono>
#include <string>
#include <string_view>

#include "drover/error.hpp"

namespace drover {

using Millis = std::chrono::milliseconds;

// "500ms", "10s", "1.5m", "2h". Zero, negative, over 30 days, or below a millisecond is an error (Code::usage) that says what to write.
Result<Millis> parse_duration(std::string_view text);
// The shortest exact form: 1500 ms -> "1.5s".
std::string to_string(Millis d);

}  // namespace drover
