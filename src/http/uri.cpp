#include "http/uri.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/ascii.hpp"

namespace drover::http {
namespace {

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

bool is_unreserved(char c) { return is_alnum(c) || c == '-' || c == '_' || c == '.' || c == '~'; }

bool has_control(std::string_view text) {
    return std::any_of(text.begin(), text.end(),
                       [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

std::vector<std::string_view> split(std::string_view text, char at) {
    std::vector<std::string_view> parts;
    while (true) {
        const auto end = text.find(at);
        parts.push_back(text.substr(0, end));
        if (end == std::string_view::npos) return parts;
        text.remove_prefix(end + 1);
    }
}

}  // namespace

std::optional<std::string> percent_decode(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out += text[i];
            continue;
        }
        if (i + 2 >= text.size()) return std::nullopt;
        const int high = hex_digit(text[i + 1]), low = hex_digit(text[i + 2]);
        if (high < 0 || low < 0) return std::nullopt;
        out += static_cast<char>(high * 16 + low);
        i += 2;
    }
    return out;
}

std::string percent_encode(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (is_unreserved(c)) {
            out += c;
        } else {
            out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
        }
    }
    return out;
}

std::optional<Target> split_target(std::string_view target) {
    for (const std::string_view scheme : {"http://", "https://"}) {
        if (!target.starts_with(scheme)) continue;
        target.remove_prefix(scheme.size());
        const auto path = target.find_first_of("/?");
        target = path == std::string_view::npos ? "/" : target.substr(path);
    }
    if (!target.starts_with('/') || has_control(target)) return std::nullopt;
    const auto mark = target.find('?');
    Target t;
    t.path = target.substr(0, mark);
    if (mark != std::string_view::npos) t.query = target.substr(mark + 1);
    return t;
}

std::optional<std::vector<std::string>> path_parts(std::string_view path) {
    if (!path.starts_with('/')) return std::nullopt;
    path.remove_prefix(1);
    if (path.ends_with('/')) path.remove_suffix(1);
    std::vector<std::string> parts;
    for (const auto part : split(path, '/')) {
        auto decoded = percent_decode(part);
        if (!decoded || has_control(*decoded)) return std::nullopt;
        parts.push_back(std::move(*decoded));
    }
    return parts;
}

std::optional<std::vector<std::pair<std::string, std::string>>> query_pairs(std::string_view query) {
    std::vector<std::pair<std::string, std::string>> pairs;
    for (const auto part : split(query, '&')) {
        if (part.empty()) continue;
        const auto equals = part.find('=');
        auto key = percent_decode(part.substr(0, equals));
        auto value = percent_decode(equals == std::string_view::npos ? "" : part.substr(equals + 1));
        if (!key || !value) return std::nullopt;
        pairs.emplace_back(std::move(*key), std::move(*value));
    }
    return pairs;
}

std::optional<std::string> canonical_path(std::string_view path) {
    const auto decoded = percent_decode(path);
    if (!decoded) return std::nullopt;
    std::string out;
    bool first = true;
    for (const auto part : split(*decoded, '/')) {
        if (!std::exchange(first, false)) out += '/';
        out += percent_encode(part);
    }
    if (!out.ends_with('/')) out += '/';
    return out;
}

std::optional<std::string> canonical_query(std::string_view query) {
    auto pairs = query_pairs(query);
    if (!pairs) return std::nullopt;
    std::sort(pairs->begin(), pairs->end());
    std::string out;
    for (const auto& [key, value] : *pairs) {
        if (!out.empty()) out += '&';
        out += percent_encode(key) + '=' + percent_encode(value);
    }
    return out;
}

}  // namespace drover::http
