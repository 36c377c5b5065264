// What a phone says of itself, and the public keys a profile may hold: never a crash, and features survive a round trip.
#include "adb/auth.hpp"
#include "adb/banner.hpp"
#include "base/assert.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace drover;
    using namespace drover::adb;
    const auto text = as_text({data, size});
    const Banner banner = parse_banner(text);
    DROVER_ASSERT(parse_adb_state(to_string(banner.state)) == banner.state);
    const std::string joined = banner.features.join();
    DROVER_ASSERT(Features::parse(joined).join() == joined);
    DROVER_ASSERT(banner.features.intersect(banner.features).join() == joined);
    // A byte that is no UTF-8 becomes U+FFFD, three bytes.
    DROVER_ASSERT(banner.model.size() <= 3 * size && joined.size() <= 3 * size);
    parse_adb_state(text);
    DROVER_ASSERT(fingerprint_of(text).size() % 64 == 0);
    return 0;
}
