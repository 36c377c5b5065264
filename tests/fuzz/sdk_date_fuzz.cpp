// Any text as an X-Sdk-Date: what is accepted is written the same way again.
#include <fmt/format.h>

#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "http/signature.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace drover;
    namespace time = std::chrono;
    const auto text = as_text({data, size});
    const auto read = http::parse_sdk_date(text);
    if (!read) return 0;
    const auto midnight = time::floor<time::days>(*read);
    const time::year_month_day day(midnight);
    const time::hh_mm_ss clock(*read - midnight);
    DROVER_ASSERT(text == fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}Z", static_cast<int>(day.year()),
                                      static_cast<unsigned>(day.month()), static_cast<unsigned>(day.day()),
                                      clock.hours().count(), clock.minutes().count(), clock.seconds().count()));
    return 0;
}
