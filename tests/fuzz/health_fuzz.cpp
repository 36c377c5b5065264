// Any bytes as what dumpsys, df and getprop print: what is read is in its range, the same with other ends of lines, and
// can be told and judged.
#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "fleet/health.hpp"

namespace {

using drover::fleet::Health;

bool is_between(const std::optional<int>& value, int min, int max) {
    return !value || (*value >= min && *value <= max);
}

std::string with_crlf(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '\n') out += '\r';
        out += c;
    }
    return out;
}

bool same(const Health& a, const Health& b) {
    return a.battery_percent == b.battery_percent && a.temperature_decicelsius == b.temperature_decicelsius &&
           a.storage_free_mib == b.storage_free_mib && a.booted == b.booted && a.screen_on == b.screen_on;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace drover;
    const auto text = as_text({data, size});
    const auto health = fleet::parse_health(text);
    DROVER_ASSERT(is_between(health.battery_percent, 0, 100));
    DROVER_ASSERT(is_between(health.temperature_decicelsius, -1000, 2000));
    DROVER_ASSERT(is_between(health.storage_free_mib, 0, 1'000'000'000));
    DROVER_ASSERT(same(fleet::parse_health(with_crlf(text)), health));
    const bool known = health.battery_percent || health.temperature_decicelsius || health.storage_free_mib;
    DROVER_ASSERT(fleet::to_string(health).empty() == !(known || health.screen_on));
    DROVER_ASSERT(!fleet::unfit(health, {}));
    HealthLimits strict;
    strict.battery_min_percent = 101;
    strict.temperature_max_celsius = -101;
    strict.storage_min_mib = 1'000'000'001;
    DROVER_ASSERT(fleet::unfit(health, strict).has_value() == known);
    return 0;
}
