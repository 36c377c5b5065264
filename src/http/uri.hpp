// Request targets: parts, percent encoding, and the canonical form that signatures are made over. Pure; any thread.
// nullopt: the text is no well-formed target (a bad % escape, a control character).
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace drover::http {

std::optional<std::string> percent_decode(std::string_view text);
// Unreserved characters (A-Z a-z 0-9 - _ . ~) stay, all others become %XX.
std::string percent_encode(std::string_view text);

struct Target {
    std::string path;   // as sent, not decoded; begins with '/'
    std::string query;  // as sent, without '?'
};
// Takes "/path?query" and "http://host/path?query".
std::optional<Target> split_target(std::string_view target);

// The path's parts, each decoded after the split: "/a/b%2Fc/" is {"a", "b/c"}. A NUL or a control character is no path.
std::optional<std::vector<std::string>> path_parts(std::string_view path);
// Key and value, decoded; a '+' stays one.
std::optional<std::vector<std::pair<std::string, std::string>>> query_pairs(std::string_view query);

// For signatures: decoded before the split, each part encoded again, with a final '/'.
std::optional<std::string> canonical_path(std::string_view path);
// For signatures: sorted by key, then value.
std::optional<std::string> canonical_query(std::string_view query);

}  // namespace drover::http
