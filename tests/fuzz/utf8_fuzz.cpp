// The first byte says where to split; the two pieces must give what the whole gives, and it must be valid UTF-8.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/utf8.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const drover::ByteView bytes(data + 1, size - 1);
    const std::size_t split = bytes.empty() ? 0 : data[0] % (bytes.size() + 1);
    drover::Utf8Sanitizer sanitizer;
    std::string out;
    sanitizer.feed(bytes.first(split), out);
    sanitizer.feed(bytes.subspan(split), out);
    sanitizer.finish(out);
    const std::string whole = drover::sanitize_utf8(drover::as_text(bytes));
    if (out != whole || !drover::is_valid_utf8(out)) std::abort();
    if (drover::is_valid_utf8(drover::as_text(bytes)) && out != drover::as_text(bytes)) std::abort();
    const std::size_t floor = drover::utf8_floor(out, data[0]);
    if (floor > data[0] || !drover::is_valid_utf8(std::string_view(out).substr(0, floor))) std::abort();
    return 0;
}
