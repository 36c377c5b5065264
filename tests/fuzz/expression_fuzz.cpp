// Any text as an expression: never a crash, every mistake inside the text, results within their limits.
#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "job/template.hpp"
#include "job_scope.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace drover;
    const auto text = as_text({data, size});
    const fuzz::JobScope known;
    for (const auto use : {job::Expression::Use::condition, job::Expression::Use::value}) {
        const auto parsed = job::Expression::parse(text, use, fuzz::job_names());
        if (!parsed) {
            DROVER_ASSERT(parsed.error().offset <= text.size() && !parsed.error().message.empty());
            continue;
        }
        const auto value = parsed->evaluate(known.scope);
        DROVER_ASSERT(!value || job::to_text(*value).size() <= 2 * job::kTextBytesMax);
        DROVER_ASSERT(use == job::Expression::Use::value || parsed->type() == job::Type::boolean);
    }
    return 0;
}
