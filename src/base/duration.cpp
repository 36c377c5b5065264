#include "base/duration.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

namespace drover {

Result<Millis> parse_duration(std::string_view text) {
    std::size_t n = 0;
    while (n < text.size() && ((text[n] >= '0' && text[n] <= '9') || text[n] == '.')) ++n;
    const std::string_view number = text.substr(0, n), unit = text.substr(n);
    const auto bad = [&](std::string_view why) {
        return fail(Code::usage, fmt::format("'{}' is not a duration: {} (write 500ms, 10s, 5m or 2h)", text, why));
    };
    if (n == 0) return bad("it must begin with a number");
    if (unit.empty()) return bad("the unit is missing");
    double scale = 0;
    if (unit == "ms") scale = 1;
    else if (unit == "s") scale = 1000;
    else if (unit == "m") scale = 60'000;
    else if (unit == "h") scale = 3'600'000;
    else return bad(fmt::format("unknown unit '{}'", unit));
    double value = 0;
    const auto [end, ec] =
        std::from_chars(number.data(), number.data() + number.size(), value, std::chars_format::fixed);
    if (ec != std::errc() || end != number.data() + number.size()) return bad("the number is wrong");
    const double ms = value * scale;
    constexpr double kMaxMs = 30.0 * 24 * 3'600'000;
    if (ms > kMaxMs) return bad("over 30 days");
    if (ms < 1) return bad("it must be at least 1ms");
    const double whole = std::round(ms);
    if (std::abs(ms - whole) > 1e-6) return bad("it is finer than a millisecond");
    return Millis(static_cast<std::int64_t>(whole));
}

std::string to_string(Millis d) {
    const auto ms = d.count();
    const auto in = [&](std::int64_t unit, std::string_view name) -> std::string {
        return fmt::format("{}{}", static_cast<double>(ms) / static_cast<double>(unit), name);
    };
    if (ms % 3'600'000 == 0 && ms != 0) return in(3'600'000, "h");
    if (ms % 60'000 == 0 && ms != 0) return in(60'000, "m");
    if (ms >= 1000) return in(1000, "s");
    return fmt::format("{}ms", ms);
}

}  // namespace drover
