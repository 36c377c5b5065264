// The one reader for every YAML file of drover: a strict parser that gives a plain tree with marks.
//
// Stricter than YAML itself, so that a typing error is an error and never a silent change of meaning: UTF-8 only, one
// document, no duplicate keys, no tags, no merge keys, only texts as keys, no unterminated quotes, limits on size, depth,
// nodes and aliases. A scalar keeps its text as written and whether it was quoted: `on`, `yes` and 0123 stay texts, and
// whoever reads the tree decides what type it wants (YAML 1.2 core: only true and false are booleans).
//
// Pure but for load(); any thread. The caller owns the tree. Failure: Error with the caller's code and
// "FILE:LINE:COLUMN: message"; lines and columns count from 1, columns in characters. It never throws.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "drover/error.hpp"

namespace drover::yaml {

constexpr std::size_t kFileBytesMax = 1024 * 1024;
constexpr std::size_t kDepthMax = 32;           // maps and sequences inside each other
constexpr std::size_t kAliasesMax = 1000;       // aliases, and anchors too
constexpr std::size_t kNodesMax = 1'000'000;    // with every alias expanded
constexpr std::size_t kExpansionFactorMax = 4;  // text bytes with aliases expanded, in multiples of the size limit
constexpr std::size_t kKeyBytesMax = 1024;

struct Mark {
    std::uint32_t line = 1;
    std::uint32_t column = 1;
    friend bool operator==(const Mark&, const Mark&) = default;
    friend auto operator<=>(const Mark&, const Mark&) = default;
};

enum class Kind : std::uint8_t { null, scalar, sequence, map };
std::string_view to_string(Kind kind);  // "nothing", "a text", "a list", "a map"

struct Entry;

struct Node {
    Kind kind = Kind::null;
    bool plain = true;           // a scalar without quotes and not a block (| or >)
    Mark mark;                   // where it begins; for an alias: where the alias stands
    std::string text;            // scalar
    std::vector<Node> items;     // sequence
    std::vector<Entry> entries;  // map, in the file's order

    bool is_scalar() const { return kind == Kind::scalar; }
    bool is_map() const { return kind == Kind::map; }
    bool is_sequence() const { return kind == Kind::sequence; }
    const Entry* find(std::string_view key) const;  // null when absent or when this is no map
};

struct Entry {
    std::string key;
    Mark key_mark;
    Node value;
};

struct Source {
    std::string file;              // as it shall stand in messages
    Code code = Code::bad_config;  // the code of every error
    std::size_t bytes_max = kFileBytesMax;
};

// "FILE:LINE:COLUMN: message", control characters replaced by '?'.
std::string located(std::string_view file, Mark mark, std::string_view message);

// An empty document is a null node.
Result<Node> parse(std::string_view text, const Source& source);
// Reads the file source.file. A file that cannot be read is an error with the same code and "FILE: reason".
Result<Node> load(const Source& source);
Result<std::string> read_text(const Source& source);

// Where the nth (from 0) `needle` of the scalar at `mark` stands in the file `text`; `mark` itself where that cannot be told
// (an alias, a needle written with escapes).
Mark find_in_scalar(std::string_view text, Mark mark, std::string_view needle, std::size_t nth);

// `text` as a YAML scalar on one line that any YAML reader takes as a text: plain where that is safe, else quoted.
std::string quote(std::string_view text);

}  // namespace drover::yaml
