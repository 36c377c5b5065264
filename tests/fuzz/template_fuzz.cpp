// Any text as a template: never a crash, and what is quoted for a shell is quoted.
#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "job/template.hpp"
#include "job_scope.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace drover;
    const auto text = as_text({data, size});
    const fuzz::JobScope known;
    for (const auto use : {job::Template::Use::shell, job::Template::Use::plain}) {
        const auto parsed = job::Template::parse(text, use, fuzz::job_names());
        if (!parsed) {
            DROVER_ASSERT(!parsed.error().empty());
            continue;
        }
        (void)parsed->expand(known.scope);
        (void)parsed->preview(known.scope);
        const auto quoted = parsed->quoted().expand(known.scope);
        DROVER_ASSERT(!quoted || (quoted->size() >= 2 && quoted->front() == '\'' && quoted->back() == '\''));
    }
    return 0;
}
