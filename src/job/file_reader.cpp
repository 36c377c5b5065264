#include "job/file_reader.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/ascii.hpp"

namespace drover::job {
namespace {

bool is_letter(char c) { return is_alpha(c) || c == '_'; }  // of a name

std::uint32_t characters(std::string_view text) {
    return static_cast<std::uint32_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

}  // namespace

bool valid_env_name(std::string_view name) {
    if (name.empty() || name.size() > kNameBytesMax || !is_letter(name[0])) return false;
    return std::all_of(name.begin(), name.end(), [](char c) { return is_letter(c) || is_digit(c); });
}
bool valid_var_name(std::string_view name) {
    if (name.empty() || name.size() > kNameBytesMax || !is_letter(name[0])) return false;
    return std::all_of(name.begin(), name.end(), [](char c) { return is_letter(c) || is_digit(c) || c == '-'; });
}

// Where byte `offset` after the nth `needle` of a scalar stands in the file.
yaml::Mark FileReader::place(yaml::Mark scalar, std::string_view needle, std::size_t nth, std::size_t offset) const {
    const auto first_line = needle.substr(0, needle.find('\n'));
    yaml::Mark mark = yaml::find_in_scalar(text_, scalar, first_line, nth);
    // The line of the file from there on; empty when the mark is only where the scalar begins.
    std::string_view rest = text_;
    for (std::uint32_t line = 1; line < mark.line; ++line) {
        const auto end = rest.find('\n');
        if (end == std::string_view::npos) return mark;
        rest.remove_prefix(end + 1);
    }
    rest = rest.substr(0, rest.find('\n'));
    for (std::uint32_t column = 1; column < mark.column && !rest.empty(); ++column) {
        rest.remove_prefix(1);
        while (!rest.empty() && (static_cast<unsigned char>(rest.front()) & 0xC0) == 0x80) rest.remove_prefix(1);
    }
    if (!rest.starts_with(first_line) || offset > rest.size()) return mark;
    mark.column += characters(rest.substr(0, offset));
    return mark;
}

bool FileReader::no_nul(std::string_view value, yaml::Mark mark, std::string_view path) {
    if (value.find('\0') == std::string_view::npos) return true;
    problems_.add(mark, path, "a NUL character cannot be sent to a shell");
    return false;
}

std::optional<Template> FileReader::read_template(const yaml::Node& node, const std::string& path, Template::Use use,
                                                  std::size_t bytes_max) {
    const auto text = yaml::read_string(node, path, problems_);
    if (!text) return std::nullopt;
    if (text->size() > bytes_max) {
        problems_.add(node.mark, path, fmt::format("more than {} bytes", bytes_max));
        return std::nullopt;
    }
    return read_template(*text, node.mark, path, use);
}

std::optional<Template> FileReader::read_template(const std::string& value, yaml::Mark mark, const std::string& path,
                                                  Template::Use use) {
    if (!no_nul(value, mark, path)) return std::nullopt;
    auto parsed = Template::parse(value, use, names_);
    if (parsed) return *std::move(parsed);
    for (const TemplateError& error : parsed.error())
        problems_.add(place(mark, "{{", error.opening, error.offset), path, error.message);
    return std::nullopt;
}

std::optional<Expression> FileReader::read_condition(const yaml::Node& node, const std::string& path) {
    const auto text = yaml::read_string(node, path, problems_);
    if (!text) return std::nullopt;
    const auto wrong = [&](std::size_t offset, std::string_view message) {
        // In a text of several lines only the first is looked for.
        problems_.add(text->find('\n') < offset ? node.mark : place(node.mark, *text, 0, offset), path, message);
    };
    if (const auto braces = text->find("{{"); braces != std::string::npos) {
        wrong(braces, "an 'if' is an expression already: leave out the {{ }}");
        return std::nullopt;
    }
    auto parsed = Expression::parse(*text, Expression::Use::condition, names_);
    if (parsed) return *std::move(parsed);
    wrong(parsed.error().offset, parsed.error().message);
    return std::nullopt;
}

std::vector<EnvVar> FileReader::read_env(const yaml::Node& node, const std::string& path) {
    std::vector<EnvVar> out;
    const auto entries = yaml::read_string_map(node, path, problems_);
    if (!entries) return out;
    if (entries->size() > kEnvMax) problems_.add(node.mark, path, fmt::format("more than {} variables", kEnvMax));
    for (const yaml::StringEntry& entry : *entries) {
        const auto own = fmt::format("{}.{}", path, entry.key);
        if (!valid_env_name(entry.key)) {
            problems_.add(
                entry.key_mark, path,
                fmt::format("'{}' is not a variable's name: letters, digits and _, the first no digit", entry.key));
        }
        if (entry.value.size() > kValueBytesMax)
            problems_.add(entry.mark, own, fmt::format("more than {} bytes", kValueBytesMax));
        if (auto value = read_template(entry.value, entry.mark, own, Template::Use::plain))
            out.push_back(EnvVar{entry.key, *std::move(value)});
    }
    return out;
}

std::optional<std::string> FileReader::read_name(const yaml::MapReader& map, std::string_view key) {
    auto name = map.string(key);
    if (!name) return std::nullopt;
    const bool controls =
        std::any_of(name->begin(), name->end(), [](char c) { return (c >= 0 && c < 0x20) || c == 0x7F; });
    if (name->empty() || name->size() > kNameBytesMax || controls) {
        map.problem(key, fmt::format("a name is one line of 1 to {} bytes", kNameBytesMax));
        return std::nullopt;
    }
    return name;
}

}  // namespace drover::job
