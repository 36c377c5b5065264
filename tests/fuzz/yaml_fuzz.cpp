// Any bytes as a YAML file: a tree or an error that names the place. And any text that is quoted reads back as itself.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/utf8.hpp"
#include "base/yaml_tree.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace drover;
    const std::string_view text = as_text(ByteView(data, size));
    const yaml::Source source{.file = "f"};
    const auto tree = yaml::parse(text, source);
    if (!tree && (tree.error().code != source.code || !tree.error().message.starts_with("f:"))) std::abort();

    const auto back = yaml::parse("k: " + yaml::quote(sanitize_utf8(text.substr(0, 200))), source);
    if (!back || !back->is_map() || back->entries[0].value.text != sanitize_utf8(text.substr(0, 200))) std::abort();
    return 0;
}
