// What phones print, as it is shown on a terminal: nothing that a terminal obeys is left, and showing it again changes nothing.
#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "base/utf8.hpp"
#include "report/printable.hpp"

namespace {

using namespace drover;

void check(const std::string& text, std::string_view allowed) {
    DROVER_ASSERT(is_valid_utf8(text));
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        DROVER_ASSERT((byte >= 0x20 && byte != 0x7f) || allowed.find(text[i]) != std::string_view::npos);
        const bool c1 = byte == 0xc2 && static_cast<unsigned char>(text[i + 1]) < 0xa0;
        DROVER_ASSERT(!c1);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = sanitize_utf8(as_text({data, size}));
    for (const auto layout : {report::Layout::keep, report::Layout::escape}) {
        const auto shown = report::printable(text, layout);
        check(shown, layout == report::Layout::keep ? "\n\t" : "");
        DROVER_ASSERT(report::printable(shown, layout) == shown);
    }
    return 0;
}
