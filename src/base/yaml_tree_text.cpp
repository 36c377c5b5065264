#include "base/yaml_tree_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/utf8.hpp"

namespace drover::yaml {
namespace {

bool blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

// Past white space and comments. A comment begins at a line's start or after white space, as here.
std::size_t skip_blank(std::string_view text, std::size_t i) {
    while (i < text.size()) {
        if (text[i] == '#') {
            while (i < text.size() && text[i] != '\n') ++i;
        } else if (blank(text[i])) {
            ++i;
        } else {
            break;
        }
    }
    return i;
}

// Where the quote that begins at quote_at is closed; npos: nowhere.
std::size_t closing_quote(std::string_view text, std::size_t quote_at) {
    const char quote = text[quote_at];
    for (std::size_t i = quote_at + 1; i < text.size(); ++i) {
        if (quote == '"' && text[i] == '\\') {
            ++i;
        } else if (text[i] == quote) {
            if (quote == '"' || i + 1 == text.size() || text[i + 1] != '\'') return i;
            ++i;  // '' stands for one quote
        }
    }
    return std::string_view::npos;
}

}  // namespace

std::optional<TextProblem> check_text(std::string_view text) {
    if (!is_valid_utf8(text)) {
        std::size_t at = 0, length = 1;
        while (at < text.size()) {
            for (length = 1; length <= 4 && !is_valid_utf8(text.substr(at, length)); ++length) {}
            if (length > 4) break;
            at += length;
        }
        const auto byte = static_cast<unsigned char>(at < text.size() ? text[at] : 0);
        return TextProblem{at, fmt::format("byte 0x{:02X} is not UTF-8", byte)};
    }
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto c = static_cast<unsigned char>(text[i]);
        if (c >= 0x20 && c != 0x7F) continue;
        if (c == '\n' || c == '\t') continue;
        if (c == '\r') {
            if (i + 1 < text.size() && text[i + 1] == '\n') continue;
            return TextProblem{i, "a carriage return without a line feed"};
        }
        return TextProblem{i, fmt::format("control character 0x{:02X}", c)};
    }
    return std::nullopt;
}

ScalarStart look_at_scalar(std::string_view text, std::size_t offset) {
    std::size_t i = offset;
    for (int properties = 0; properties < 2 && i < text.size(); ++properties) {
        if (text[i] == '!') return ScalarStart::tag;
        if (text[i] != '&') break;
        while (i < text.size() && !blank(text[i])) ++i;
        i = skip_blank(text, i);
    }
    if (i >= text.size()) return ScalarStart::other;
    const bool quote = text[i] == '"' || text[i] == '\'';
    return quote && closing_quote(text, i) == std::string_view::npos ? ScalarStart::open_quote : ScalarStart::other;
}

std::optional<std::size_t> unclosed_bracket(std::string_view text, std::size_t offset) {
    const auto opens = [](char c) { return c == '[' || c == '{'; };
    if (offset >= text.size() || !opens(text[offset])) return std::nullopt;
    for (std::size_t i = offset; i-- > 0 && (blank(text[i]) || opens(text[i]));) {
        if (opens(text[i])) offset = i;
    }
    std::vector<std::size_t> open;
    for (std::size_t i = offset; i < text.size(); ++i) {
        const char c = text[i];
        const bool quote = c == '"' || c == '\'';
        if (quote && (blank(text[i - 1]) || opens(text[i - 1]) || text[i - 1] == ',' || text[i - 1] == ':')) {
            i = closing_quote(text, i);
            if (i == std::string_view::npos) return std::nullopt;  // the quote is what is wrong
        } else if (c == '#' && blank(text[i - 1])) {
            i = std::min(text.find('\n', i), text.size());
        } else if (opens(c)) {
            open.push_back(i);
        } else if (c == ']' || c == '}') {
            if (text[open.back()] != (c == ']' ? '[' : '{')) return open.back();
            open.pop_back();
            if (open.empty()) return std::nullopt;
        }
    }
    return open.back();
}

Mark Marks::at(std::size_t offset) {
    offset = std::min(offset, text_.size());
    if (offset < offset_) {  // back to the start of that line
        const std::string_view between = text_.substr(offset, offset_ - offset);
        mark_.line -= static_cast<std::uint32_t>(std::count(between.begin(), between.end(), '\n'));
        const std::size_t newline = offset == 0 ? std::string_view::npos : text_.rfind('\n', offset - 1);
        offset_ = newline == std::string_view::npos ? 0 : newline + 1;
        mark_.column = 1;
    }
    for (; offset_ < offset; ++offset_) {
        const auto c = static_cast<unsigned char>(text_[offset_]);
        if (c == '\n') {
            ++mark_.line;
            mark_.column = 1;
        } else if ((c & 0xC0) != 0x80) {
            ++mark_.column;
        }
    }
    return mark_;
}

std::string explain(std::string_view yaml_message, std::string_view line) {
    const std::size_t indent = line.find_first_not_of(" \t");
    const std::string_view lead = line.substr(0, std::min(indent, line.size()));
    if (lead.find('\t') != std::string_view::npos) return "a tab cannot indent a line: use spaces";
    const auto is = [&](std::string_view other) { return yaml_message == other; };
    if (is("illegal map value"))
        return "a ':' cannot stand here: check the indentation; a text with ': ' in it needs quotes";
    if (is("end of map not found")) return "this does not fit the map around it: check the indentation and the quotes";
    if (is("end of sequence not found"))
        return "this does not fit the list around it: check the indentation and the quotes";
    if (is("end of map flow not found")) return "'{' without '}'";
    if (is("end of sequence flow not found")) return "'[' without ']'";
    if (is("illegal block entry")) return "a list item '- ' cannot stand here: begin a new line";
    if (is("illegal EOF in scalar")) return "the file ends inside a quoted text";
    if (is("illegal flow end")) return "']' or '}' without its beginning";
    if (is("unknown token")) return "a text cannot begin with this character: put it in quotes";
    if (is("the referenced anchor is not defined"))
        return "this alias has no anchor before it; a text that begins with '*' needs quotes";
    std::string message(yaml_message);
    while (!message.empty() && (message.back() == ' ' || message.back() == ':')) message.pop_back();
    return "not valid YAML: " + sanitize_utf8(message);
}

}  // namespace drover::yaml
