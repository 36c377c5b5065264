#include "report/printable.hpp"

#include <fmt/format.h>

namespace drover::report {

std::string printable(std::string_view utf8, Layout layout) {
    std::string out;
    out.reserve(utf8.size());
    for (std::size_t i = 0; i < utf8.size(); ++i) {
        const auto byte = static_cast<unsigned char>(utf8[i]);
        const auto next = i + 1 < utf8.size() ? static_cast<unsigned char>(utf8[i + 1]) : 0;
        if (layout == Layout::keep && (byte == '\n' || byte == '\t')) {
            out += utf8[i];
        } else if (layout == Layout::keep && byte == '\r' && next == '\n') {
            continue;
        } else if (byte == '\n') {
            out += "\\n";
        } else if (byte == '\t') {
            out += "\\t";
        } else if (byte == '\r') {
            out += "\\r";
        } else if (byte < 0x20 || byte == 0x7f) {
            out += fmt::format("\\x{:02x}", byte);
        } else if (byte == 0xc2 && next >= 0x80 && next <= 0x9f) {
            out += fmt::format("\\x{:02x}", next);  // C1: some terminals obey U+009B as they do ESC [
            ++i;
        } else {
            out += utf8[i];
        }
    }
    return out;
}

}  // namespace drover::report
