// Any bytes as what `am instrument -r` prints: the same tests and the same problem however they are split, all within
// their limits. A byte 1 stands for as many x as bring its line to one byte below the limit: short inputs reach it.
#include <algorithm>

#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "base/utf8.hpp"
#include "job/steps/instrument_parser.hpp"

namespace {

using namespace drover;
using job::InstrumentParser;

constexpr char kFill = 1;
constexpr std::size_t kFillsMax = 8;

std::string filled(std::string_view input) {
    std::string out;
    std::size_t line = 0, fills = 0;
    for (const char c : input) {
        if (c != kFill) {
            out += c;
            line = c == '\n' ? out.size() : line;
        } else if (const auto have = out.size() - line; have + 1 < InstrumentParser::kLineBytesMax) {
            if (++fills > kFillsMax) continue;
            out.append(InstrumentParser::kLineBytesMax - 1 - have, 'x');
        }
    }
    return out;
}

// In pieces of `size` bytes; a run of x stays whole.
InstrumentParser read(std::string_view text, std::size_t size) {
    InstrumentParser parser;
    while (!text.empty()) {
        const auto run = std::min(text.find_first_not_of('x'), text.size());
        const auto piece = text.substr(0, std::max(run, size));
        parser.feed(piece);
        text.remove_prefix(piece.size());
    }
    parser.finish();
    return parser;
}

bool same(const TestCase& a, const TestCase& b) {
    return a.suite == b.suite && a.name == b.name && a.verdict == b.verdict && a.message == b.message;
}

void check(const std::string& text, std::size_t max) { DROVER_ASSERT(text.size() <= max && is_valid_utf8(text)); }

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = filled(as_text({data, size}));
    const auto whole = read(text, text.size());
    for (const std::size_t piece : {1, 3}) {
        const auto torn = read(text, piece);
        DROVER_ASSERT(torn.problem() == whole.problem());
        DROVER_ASSERT(std::ranges::equal(torn.tests(), whole.tests(), same));
    }
    check(whole.problem(), InstrumentParser::kProblemBytesMax);
    DROVER_ASSERT(whole.tests().size() <= InstrumentParser::kTestsMax);
    std::size_t messages = 0;
    bool bad = false;
    for (const auto& test : whole.tests()) {
        check(test.suite, InstrumentParser::kNameBytesMax);
        check(test.name, InstrumentParser::kNameBytesMax);
        check(test.message, InstrumentParser::kMessageBytesMax);
        messages += test.message.size();
        bad = bad || test.verdict == TestCase::Verdict::failed || test.verdict == TestCase::Verdict::error;
    }
    DROVER_ASSERT(messages <= InstrumentParser::kMessagesBytesMax);
    const bool told = text.find("INSTRUMENTATION_CODE: ") != std::string::npos;
    DROVER_ASSERT(!whole.problem().empty() || (told && !bad && !whole.tests().empty()));
    return 0;
}
