// Any text as a request's target: it is refused, or its parts and its canonical form are sound, and a second reading of the
// canonical form changes nothing.
#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "http/router.hpp"
#include "http/uri.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace drover::http;
    const auto target = split_target(drover::as_text({data, size}));
    if (!target) return 0;
    DROVER_ASSERT(target->path.starts_with('/'));
    if (const auto parts = path_parts(target->path)) {
        for (const auto& part : *parts) {
            for (const char c : part) DROVER_ASSERT(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
        }
        for (const auto* method : {"GET", "POST"}) {
            const auto routed = route(method, *parts);
            DROVER_ASSERT(routed.call == Call::none || routed.allow.empty());
            for (const auto& param : routed.params) DROVER_ASSERT(param.size() <= size);
        }
    }
    if (const auto path = canonical_path(target->path)) {
        DROVER_ASSERT(path->starts_with('/') && path->ends_with('/'));
        DROVER_ASSERT(canonical_path(*path) == path);
    }
    if (const auto query = canonical_query(target->query)) DROVER_ASSERT(canonical_query(*query) == query);
    return 0;
}
