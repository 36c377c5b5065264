#include "base/yaml_tree_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/nearest.hpp"

namespace drover::yaml {
namespace {

// A value as it may stand in a one-line message.
std::string shown(std::string_view text) {
    constexpr std::size_t kShownMax = 40;
    std::string out;
    for (const char c : text.substr(0, std::min(text.size(), kShownMax))) {
        out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
    while (!out.empty() && (static_cast<unsigned char>(out.back()) & 0x80) != 0 && text.size() > kShownMax)
        out.pop_back();
    return text.size() > kShownMax ? out + "..." : out;
}

void wrong_kind(const Node& node, std::string_view path, std::string_view wanted, Problems& problems) {
    if (node.kind == Kind::null) {
        problems.add(node.mark, path, fmt::format("the value is missing: {} is wanted", wanted));
    } else {
        problems.add(node.mark, path, fmt::format("{} is wanted, this is {}", wanted, to_string(node.kind)));
    }
}

std::vector<std::string_view> names_of(std::span<const KeySpec> keys) {
    std::vector<std::string_view> names;
    for (const KeySpec& key : keys) names.push_back(key.name);
    return names;
}

std::string join(std::span<const std::string_view> words) { return fmt::format("{}", fmt::join(words, ", ")); }

}  // namespace

void Problems::add(Mark mark, std::string message) {
    ++count_;
    if (list_.size() < kProblemsMax) list_.push_back(Problem{mark, std::move(message)});
}

void Problems::add(Mark mark, std::string_view path, std::string_view message) {
    add(mark, path.empty() ? std::string(message) : fmt::format("{}: {}", path, message));
}

std::vector<std::string> Problems::lines() const {
    std::vector<Problem> sorted = list_;
    std::stable_sort(sorted.begin(), sorted.end(), [](const Problem& a, const Problem& b) { return a.mark < b.mark; });
    std::vector<std::string> out;
    for (const Problem& problem : sorted) out.push_back(located(file_, problem.mark, problem.message));
    if (count_ > list_.size()) out.push_back(fmt::format("{}: {} more problems", file_, count_ - list_.size()));
    return out;
}

std::vector<Error> Problems::errors() const {
    std::vector<Error> out;
    for (std::string& line : lines()) out.emplace_back(code_, std::move(line));
    return out;
}

Error Problems::error() const {
    std::string message = lines().front();
    if (count_ > 1) message += fmt::format(" (and {} more problem{})", count_ - 1, count_ == 2 ? "" : "s");
    return Error(code_, std::move(message));
}

std::optional<std::string> read_string(const Node& node, std::string_view path, Problems& problems) {
    if (node.is_scalar()) return node.text;
    wrong_kind(node, path, "a text", problems);
    return std::nullopt;
}

std::optional<std::int64_t> read_integer(const Node& node, std::string_view path, std::int64_t min, std::int64_t max,
                                         Problems& problems) {
    const std::string wanted =
        min == max ? fmt::format("the number {}", min) : fmt::format("a number from {} to {}", min, max);
    if (!node.is_scalar()) {
        wrong_kind(node, path, wanted, problems);
        return std::nullopt;
    }
    std::int64_t value = 0;
    const char* end = node.text.data() + node.text.size();
    const auto [stopped, ec] = std::from_chars(node.text.data(), end, value);
    if (!node.plain || ec != std::errc() || stopped != end || value < min || value > max) {
        problems.add(node.mark, path,
                     fmt::format("{} is wanted, this is {}'{}'", wanted, node.plain ? "" : "the quoted text ",
                                 shown(node.text)));
        return std::nullopt;
    }
    return value;
}

std::optional<double> read_number(const Node& node, std::string_view path, double min, double max, Problems& problems) {
    const std::string wanted = fmt::format("a number from {} to {}", min, max);
    if (!node.is_scalar()) {
        wrong_kind(node, path, wanted, problems);
        return std::nullopt;
    }
    double value = 0;
    const char* end = node.text.data() + node.text.size();
    const auto [stopped, ec] = std::from_chars(node.text.data(), end, value);
    const bool good = node.plain && ec == std::errc() && stopped == end && std::isfinite(value);
    if (!good || value < min || value > max) {
        problems.add(node.mark, path,
                     fmt::format("{} is wanted, this is {}'{}'", wanted, node.plain ? "" : "the quoted text ",
                                 shown(node.text)));
        return std::nullopt;
    }
    return value;
}

std::optional<bool> read_bool(const Node& node, std::string_view path, Problems& problems) {
    if (node.is_scalar() && node.plain && (node.text == "true" || node.text == "false")) return node.text == "true";
    if (!node.is_scalar()) {
        wrong_kind(node, path, "true or false", problems);
    } else {
        problems.add(node.mark, path,
                     fmt::format("true or false is wanted, this is {}'{}'", node.plain ? "" : "the quoted text ",
                                 shown(node.text)));
    }
    return std::nullopt;
}

std::optional<Millis> read_duration(const Node& node, std::string_view path, Problems& problems) {
    if (!node.is_scalar()) {
        wrong_kind(node, path, "a duration such as 10s", problems);
        return std::nullopt;
    }
    const auto value = parse_duration(node.text);
    if (value) return *value;
    problems.add(node.mark, path, value.error().message);
    return std::nullopt;
}

std::optional<std::vector<std::string>> read_strings(const Node& node, std::string_view path, Problems& problems) {
    if (!node.is_sequence()) {
        wrong_kind(node, path, "a list of texts", problems);
        return std::nullopt;
    }
    std::vector<std::string> out;
    bool good = true;
    for (std::size_t i = 0; i < node.items.size(); ++i) {
        auto item = read_string(node.items[i], fmt::format("{}[{}]", path, i), problems);
        good = good && item;
        if (item) out.push_back(*std::move(item));
    }
    return good ? std::optional(std::move(out)) : std::nullopt;
}

std::optional<std::string> read_word(const Node& node, std::string_view path, std::span<const std::string_view> words,
                                     Problems& problems) {
    auto text = read_string(node, path, problems);
    if (!text) return std::nullopt;
    if (std::find(words.begin(), words.end(), *text) != words.end()) return text;
    problems.add(
        node.mark, path,
        fmt::format("'{}' is not known here{}: one of {}", shown(*text), did_you_mean(*text, words), join(words)));
    return std::nullopt;
}

std::optional<std::vector<StringEntry>> read_string_map(const Node& node, std::string_view path, Problems& problems) {
    if (!node.is_map()) {
        wrong_kind(node, path, "a map of texts", problems);
        return std::nullopt;
    }
    std::vector<StringEntry> out;
    bool good = true;
    for (const Entry& entry : node.entries) {
        const std::string name = path.empty() ? entry.key : fmt::format("{}.{}", path, shown(entry.key));
        auto value = read_string(entry.value, name, problems);
        good = good && value;
        if (value) out.push_back(StringEntry{entry.key, *std::move(value), entry.key_mark, entry.value.mark});
    }
    return good ? std::optional(std::move(out)) : std::nullopt;
}

MapReader::MapReader(const Node& node, std::string path, std::span<const KeySpec> keys, Problems& problems)
    : node_(node), path_(std::move(path)), problems_(problems) {
    if (!node.is_map()) {
        wrong_kind(node, path_, "a map", problems);
        return;
    }
    const auto names = names_of(keys);
    std::vector<std::string_view>
        misspelt;  // keys that are there, written wrong: not reported a second time as missing
    for (const Entry& entry : node.entries) {
        if (std::find(names.begin(), names.end(), entry.key) != names.end()) continue;
        misspelt.push_back(nearest(entry.key, names));
        const std::string near = did_you_mean(entry.key, names);
        problems.add(entry.key_mark, path_,
                     near.empty() ? fmt::format("unknown key '{}': one of {}", shown(entry.key), join(names))
                                  : fmt::format("unknown key '{}'{}", shown(entry.key), near));
    }
    for (const KeySpec& key : keys) {
        if (!key.required || node.find(key.name) ||
            std::find(misspelt.begin(), misspelt.end(), key.name) != misspelt.end())
            continue;
        problems.add(node.mark, path_, fmt::format("the key '{}' is missing", key.name));
    }
}

const Node* MapReader::find(std::string_view key) const {
    const Entry* entry = node_.find(key);
    return entry ? &entry->value : nullptr;
}

Mark MapReader::mark_of(std::string_view key) const {
    const Node* value = find(key);
    return value ? value->mark : node_.mark;
}

std::string MapReader::path_of(std::string_view key) const {
    return path_.empty() ? std::string(key) : fmt::format("{}.{}", path_, key);
}

std::optional<std::string> MapReader::string(std::string_view key) const {
    const Node* value = find(key);
    return value ? read_string(*value, path_of(key), problems_) : std::nullopt;
}

std::optional<std::string> MapReader::word(std::string_view key, std::initializer_list<std::string_view> words) const {
    const Node* value = find(key);
    return value ? read_word(*value, path_of(key), std::span(words.begin(), words.size()), problems_) : std::nullopt;
}

std::optional<std::int64_t> MapReader::integer(std::string_view key, std::int64_t min, std::int64_t max) const {
    const Node* value = find(key);
    return value ? read_integer(*value, path_of(key), min, max, problems_) : std::nullopt;
}

std::optional<double> MapReader::number(std::string_view key, double min, double max) const {
    const Node* value = find(key);
    return value ? read_number(*value, path_of(key), min, max, problems_) : std::nullopt;
}

std::optional<bool> MapReader::boolean(std::string_view key) const {
    const Node* value = find(key);
    return value ? read_bool(*value, path_of(key), problems_) : std::nullopt;
}

std::optional<Millis> MapReader::duration(std::string_view key) const {
    const Node* value = find(key);
    return value ? read_duration(*value, path_of(key), problems_) : std::nullopt;
}

std::optional<std::filesystem::path> MapReader::file(std::string_view key, const std::filesystem::path& folder) const {
    const auto text = string(key);
    if (!text) return std::nullopt;
    if (text->empty()) problem(key, "the path is empty");
    if (text->find('\0') != std::string::npos) problem(key, kNulInPath);
    return folder / *text;
}

std::optional<std::vector<std::string>> MapReader::strings(std::string_view key) const {
    const Node* value = find(key);
    return value ? read_strings(*value, path_of(key), problems_) : std::nullopt;
}

std::optional<std::vector<StringEntry>> MapReader::string_map(std::string_view key) const {
    const Node* value = find(key);
    return value ? read_string_map(*value, path_of(key), problems_) : std::nullopt;
}

void MapReader::problem(std::string_view key, std::string_view message) const {
    problems_.add(mark_of(key), path_of(key), message);
}

}  // namespace drover::yaml
