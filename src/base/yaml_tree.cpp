#include "base/yaml_tree.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include "base/ascii.hpp"
#include "base/yaml_tree_build.hpp"
#include "base/yaml_tree_text.hpp"

namespace drover::yaml {
namespace {

std::string size_text(std::size_t bytes) {
    if (bytes % (1024 * 1024) == 0) return fmt::format("{} MiB", bytes / (1024 * 1024));
    return fmt::format("{} bytes", bytes);
}

Error too_large(const Source& source) {
    return Error(source.code, fmt::format("{}: larger than {}", source.file, size_text(source.bytes_max)));
}

std::string without_bom(std::string_view text) {
    if (text.substr(0, 3) == "\xEF\xBB\xBF") text.remove_prefix(3);
    return std::string(text);
}

bool word_safe(std::string_view text) {
    if (text.empty() || !is_alpha(text[0])) return false;
    for (const char c : text) {
        const bool ok = is_alnum(c) || c == '-' || c == '_' || c == '.' || c == '/';
        if (!ok) return false;
    }
    // Words that some YAML reader takes for something else than a text.
    for (const std::string_view word : {"null", "true", "false", "yes", "no", "on", "off", "y", "n"}) {
        if (text.size() == word.size() && strncasecmp(text.data(), word.data(), word.size()) == 0) return false;
    }
    return true;
}

}  // namespace

std::string_view to_string(Kind kind) {
    switch (kind) {
        case Kind::null: return "nothing";
        case Kind::scalar: return "a text";
        case Kind::sequence: return "a list";
        case Kind::map: return "a map";
    }
    return "";
}

const Entry* Node::find(std::string_view key) const {
    for (const Entry& entry : entries) {
        if (entry.key == key) return &entry;
    }
    return nullptr;
}

std::string located(std::string_view file, Mark mark, std::string_view message) {
    // A text of the file may hold control characters (as escapes): they must not reach a terminal.
    std::string out = fmt::format("{}:{}:{}: {}", file, mark.line, mark.column, message);
    for (std::size_t i = 0; i < out.size(); ++i) {
        const auto c = static_cast<unsigned char>(out[i]);
        const bool c1 = c == 0xC2 && i + 1 < out.size() && static_cast<unsigned char>(out[i + 1]) < 0xA0;
        if (c1) out.erase(i, 1);
        if (c < 0x20 || c == 0x7F || c1) out[i] = '?';
    }
    return out;
}

Result<Node> parse(std::string_view text, const Source& source) {
    if (text.size() > source.bytes_max) return tl::unexpected(too_large(source));
    const std::string clean = without_bom(text);
    Marks marks(clean);
    if (const auto wrong = check_text(clean)) {
        return fail(source.code, located(source.file, marks.at(wrong->offset), wrong->message));
    }
    auto tree = build_tree(clean, source.bytes_max * kExpansionFactorMax);
    if (!tree) return fail(source.code, located(source.file, tree.error().mark, tree.error().message));
    return *std::move(tree);
}

Result<std::string> read_text(const Source& source) {
    const auto cannot = [&](int error) {
        return fail(source.code, fmt::format("{}: {}", source.file, std::strerror(error)));
    };
    struct stat status {};
    if (::stat(source.file.c_str(), &status) != 0) return cannot(errno);
    if (S_ISDIR(status.st_mode)) return cannot(EISDIR);
    std::ifstream in(source.file, std::ios::binary);
    if (!in) return cannot(errno);
    std::string text;
    char piece[16384];
    while (in.read(piece, sizeof piece), in.gcount() > 0) {
        text.append(piece, static_cast<std::size_t>(in.gcount()));
        if (text.size() > source.bytes_max) return tl::unexpected(too_large(source));
    }
    if (in.bad()) return cannot(EIO);
    return text;
}

Result<Node> load(const Source& source) {
    auto text = read_text(source);
    if (!text) return tl::unexpected(text.error());
    return parse(*text, source);
}

Mark find_in_scalar(std::string_view text, Mark mark, std::string_view needle, std::size_t nth) {
    const std::string clean = without_bom(text);
    std::size_t at = 0;
    for (std::uint32_t line = 1; line < mark.line; ++line) {
        at = clean.find('\n', at);
        if (at == std::string::npos) return mark;
        ++at;
    }
    Marks marks(clean);
    while (at < clean.size() && marks.at(at) < mark) ++at;
    if (at == clean.size() || clean[at] == '*') return mark;
    for (std::size_t i = 0; i <= nth; ++i) {
        at = clean.find(needle, i == 0 ? at : at + needle.size());
        if (at == std::string::npos) return mark;
    }
    return marks.at(at);
}

std::string quote(std::string_view text) {
    if (word_safe(text)) return std::string(text);
    bool controls = false;
    for (const char c : text) controls = controls || static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
    std::string out(1, controls ? '"' : '\'');
    for (const char c : text) {
        if (!controls) {
            out.append(c == '\'' ? 2 : 1, c);
        } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
            out += fmt::format("\\x{:02X}", static_cast<unsigned char>(c));
        } else {
            if (c == '"' || c == '\\') out += '\\';
            out += c;
        }
    }
    out += controls ? '"' : '\'';
    return out;
}

}  // namespace drover::yaml
