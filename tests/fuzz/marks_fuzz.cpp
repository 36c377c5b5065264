// Any text as the file of phones that are out of service: a line that is none is told by its number, and what is read is the same
// when it is written and read again.
#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "fleet/marks.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace drover;
    const std::string text(as_text({data, size}));
    const auto marks = fleet::parse_marks(text, "f");
    if (!marks) {
        DROVER_ASSERT(marks.error().code == Code::store_failed && marks.error().message.starts_with("f:"));
        return 0;
    }
    DROVER_ASSERT(text.empty() == marks->empty() && !marks->contains(""));
    const auto again = fleet::parse_marks(fleet::to_text(*marks), "f");
    DROVER_ASSERT(again && *again == *marks);
    return 0;
}
