// Takes typed values out of a yaml::Node and collects everything that is wrong on the way, so that a user sees all
// mistakes of a file at once.
//
//   static constexpr KeySpec kKeys[] = {{"version", true}, {"timeout"}};
//   Problems problems(source);
//   MapReader map(root, "", kKeys, problems);          // unknown and missing keys are problems
//   auto version = map.integer("version", 1, 1);       // nullopt: absent, or wrong and reported
//   auto timeout = map.duration("timeout");
//   if (!problems.empty()) return problems.unexpected();
//
// Pure; one thread. A MapReader refers to the node, the keys and the problems; they outlive it. Messages:
// "FILE:LINE:COLUMN: steps[0].timeout: what is wrong".
#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/duration.hpp"
#include "base/yaml_tree.hpp"

namespace drover::yaml {

struct Problem {
    Mark mark;
    std::string message;  // without file and position
};

class Problems {
public:
    static constexpr std::size_t kProblemsMax = 50;  // later ones are only counted

    explicit Problems(const Source& source) : file_(source.file), code_(source.code) {}

    void add(Mark mark, std::string message);
    // "path: message"; no prefix when the path is empty.
    void add(Mark mark, std::string_view path, std::string_view message);

    bool empty() const { return count_ == 0; }
    std::size_t count() const { return count_; }
    // "FILE:LINE:COLUMN: message" each, by position; a last line says how many were left out.
    std::vector<std::string> lines() const;
    // The same, each as an Error.
    std::vector<Error> errors() const;
    // The first line by position, and how many more there are. Only when not empty.
    Error error() const;
    tl::unexpected<Error> unexpected() const { return tl::unexpected<Error>(error()); }

private:
    std::string file_;
    Code code_;
    std::size_t count_ = 0;
    std::vector<Problem> list_;
};

// What a map may hold. One table for each kind of map; parser and schema both read it.
struct KeySpec {
    std::string_view name;
    bool required = false;
    std::string_view schema = "";  // a JSON Schema type or the name of a definition; for the schema generator
    std::string_view doc = "";     // one sentence
};

// Single values. `path` names the value in messages. nullopt: reported.
std::optional<std::string> read_string(const Node& node, std::string_view path, Problems& problems);
std::optional<std::int64_t> read_integer(const Node& node, std::string_view path, std::int64_t min, std::int64_t max,
                                         Problems& problems);
std::optional<double> read_number(const Node& node, std::string_view path, double min, double max, Problems& problems);
std::optional<bool> read_bool(const Node& node, std::string_view path, Problems& problems);
std::optional<Millis> read_duration(const Node& node, std::string_view path, Problems& problems);
std::optional<std::vector<std::string>> read_strings(const Node& node, std::string_view path, Problems& problems);
// A text of a fixed set; anything else names the nearest.
std::optional<std::string> read_word(const Node& node, std::string_view path, std::span<const std::string_view> words,
                                     Problems& problems);

// The system would read another path, cut off there.
inline constexpr std::string_view kNulInPath = "a path has no NUL character";

// One key and text of a map of texts, with its marks.
struct StringEntry {
    std::string key, value;
    Mark key_mark, mark;
};
std::optional<std::vector<StringEntry>> read_string_map(const Node& node, std::string_view path, Problems& problems);

// What was written replaces the default.
template <class T, class U>
void take(T& to, const std::optional<U>& value) {
    if (value) to = static_cast<T>(*value);
}

class MapReader {
public:
    // A node that is no map is a problem; then every key is absent.
    MapReader(const Node& node, std::string path, std::span<const KeySpec> keys, Problems& problems);

    bool is_map() const { return node_.is_map(); }
    Mark mark() const { return node_.mark; }
    const Node* find(std::string_view key) const;  // the value, null when absent
    Mark mark_of(std::string_view key) const;      // of the value; of the map when absent
    std::string path_of(std::string_view key) const;

    std::optional<std::string> string(std::string_view key) const;
    std::optional<std::string> word(std::string_view key, std::initializer_list<std::string_view> words) const;
    std::optional<std::int64_t> integer(std::string_view key, std::int64_t min, std::int64_t max) const;
    std::optional<double> number(std::string_view key, double min, double max) const;
    std::optional<bool> boolean(std::string_view key) const;
    std::optional<Millis> duration(std::string_view key) const;
    // As it stands, or from `folder`; empty is a problem, and so is a NUL character.
    std::optional<std::filesystem::path> file(std::string_view key, const std::filesystem::path& folder) const;
    std::optional<std::vector<std::string>> strings(std::string_view key) const;  // a list of texts
    std::optional<std::vector<StringEntry>> string_map(std::string_view key) const;

    // Something the caller found wrong with the value of `key`.
    void problem(std::string_view key, std::string_view message) const;

private:
    const Node& node_;
    std::string path_;
    Problems& problems_;
};

}  // namespace drover::yaml
