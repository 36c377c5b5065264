// Any text as an expression and as a template: never a crash, every mistake inside the text, results within their limits; and
// what is quoted for a shell is quoted.
#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "job/template.hpp"

namespace {

using namespace drover;

const job::NameTable& names() {
    static const auto table = [] {
        job::NameTable out;
        out.vars.emplace("v", std::make_shared<const job::Template>(job::Template::literal("it's $(x) 12")));
        out.outputs = {{"o", 0}, {"none", 1}};
        out.matrix = {"m"};
        out.secrets = {"S"};
        return out;
    }();
    return table;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = as_text({data, size});
    Instance phone;
    phone.id = "p";
    phone.labels = {{"k", "v"}};
    const std::vector<std::string> values(job::phone_facts().size(), "34"), matrix{"m"}, secrets{"s3cret"};
    const std::vector<std::optional<job::Output>> outputs{job::Output{"1\n2", "e", 3, Code::ok, false, 1},
                                                          std::nullopt};
    const job::Scope scope{phone, values, outputs, matrix, secrets, "r", job::Standing::failed};
    for (const auto use : {job::Expression::Use::condition, job::Expression::Use::value}) {
        const auto parsed = job::Expression::parse(text, use, names());
        if (!parsed) {
            DROVER_ASSERT(parsed.error().offset <= text.size() && !parsed.error().message.empty());
            continue;
        }
        const auto value = parsed->evaluate(scope);
        DROVER_ASSERT(!value || job::to_text(*value).size() <= 2 * job::kTextBytesMax);
        DROVER_ASSERT(use == job::Expression::Use::value || parsed->type() == job::Type::boolean);
    }
    for (const auto use : {job::Template::Use::shell, job::Template::Use::plain}) {
        const auto parsed = job::Template::parse(text, use, names());
        if (!parsed) {
            DROVER_ASSERT(!parsed.error().empty());
            continue;
        }
        (void)parsed->expand(scope);
        (void)parsed->preview(scope);
        const auto quoted = parsed->quoted().expand(scope);
        DROVER_ASSERT(!quoted || (quoted->size() >= 2 && quoted->front() == '\'' && quoted->back() == '\''));
    }
    return 0;
}
