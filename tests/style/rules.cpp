#include "style/rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <regex>

namespace drover::style {
namespace {

// The order of the arrows: a room may include those before it.
constexpr std::array<std::string_view, 14> kRooms{"base",   "adb",   "sim",  "net", "fleet", "dispatch", "transfer",
                                                  "report", "store", "task", "job", "http",  "agent",    "cli"};

std::optional<std::size_t> rank(std::string_view room) {
    const auto it = std::find(kRooms.begin(), kRooms.end(), room);
    if (it == kRooms.end()) return std::nullopt;
    return static_cast<std::size_t>(it - kRooms.begin());
}

bool starts(const SourceFile& file, std::string_view prefix) { return file.path.starts_with(prefix); }
bool is_header(const SourceFile& file) { return file.path.ends_with(".hpp"); }

std::string at(const SourceFile& file, std::size_t line, std::string_view what) {
    return fmt::format("{}:{}: {}", file.path, line, what);
}

std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> lines;
    while (!text.empty()) {
        const auto end = text.find('\n');
        lines.push_back(text.substr(0, end));
        if (end == std::string_view::npos) break;
        text.remove_prefix(end + 1);
    }
    return lines;
}

struct Line {
    std::size_t number;
    std::string text;  // without blanks
};

// Those that say something: copies of the others are no copies.
std::vector<Line> telling_lines_of(std::string_view text) {
    std::vector<Line> result;
    std::size_t number = 0;
    for (const auto line : lines_of(text)) {
        Line told{++number, std::string(line)};
        std::erase_if(told.text, [](char c) { return c == ' ' || c == '\t' || c == '\r'; });
        const bool skipped = told.text.starts_with('#') || told.text.starts_with("//") ||
                             told.text.find_first_not_of("{}()[];,") == std::string::npos;
        if (!skipped) result.push_back(std::move(told));
    }
    return result;
}

// Just after the brace that closes the one at `open`.
std::size_t end_of_body(std::string_view text, std::size_t open) {
    std::size_t depth = 0;
    for (auto i = open; i < text.size(); ++i) {
        if (text[i] == '{') ++depth;
        if (text[i] == '}' && --depth == 0) return i + 1;
    }
    return text.size();
}

struct Include {
    std::size_t line;
    std::string name;
    bool quoted;
};

std::vector<Include> includes_of(const SourceFile& file) {
    static const std::regex kInclude(R"(^\s*#\s*include\s*([<"])([^>"]+)[>"])");
    std::vector<Include> result;
    std::size_t number = 0;
    for (const auto line : lines_of(file.text)) {
        ++number;
        std::match_results<std::string_view::const_iterator> m;
        if (std::regex_search(line.begin(), line.end(), m, kInclude))
            result.push_back({number, m.str(2), m.str(1) == "\""});
    }
    return result;
}

}  // namespace

Findings arrows(const SourceFile& file) {
    Findings found;
    if (!starts(file, "src/")) return found;
    const std::string own = file.path.substr(4, file.path.find('/', 4) - 4);
    const auto own_rank = rank(own);
    if (!own_rank)
        return {at(file, 1, fmt::format("there is no room '{}'; the rooms are in tests/style/rules.cpp", own))};
    for (const auto& include : includes_of(file)) {
        if (!include.quoted || include.name.starts_with("drover/")) continue;
        const std::string other = include.name.substr(0, include.name.find('/'));
        const auto other_rank = rank(other);
        const bool sim_breaks = own == "sim" && other != "sim" && other != "base" && other != "adb";
        if (!other_rank) {
            found.push_back(
                at(file, include.line, fmt::format("\"{}\" names no room: write \"room/file.hpp\"", include.name)));
        } else if (*other_rank > *own_rank || sim_breaks) {
            found.push_back(at(file, include.line, fmt::format("room {} may not include room {}", own, other)));
        }
    }
    return found;
}

Findings public_includes(const SourceFile& file) {
    Findings found;
    if (!starts(file, "include/")) return found;
    for (const auto& include : includes_of(file)) {
        if (include.name.starts_with("boost/")) found.push_back(at(file, include.line, "no Boost in a public header"));
        if (include.quoted && !include.name.starts_with("drover/")) {
            found.push_back(at(file, include.line, "a public header includes only public headers"));
        }
    }
    return found;
}

Findings header_form(const SourceFile& file) {
    Findings found;
    if (!is_header(file)) return found;
    if (!file.text.starts_with("// ")) {
        found.push_back(at(file, 1, "begin with a comment: what it is, which threads, who owns what, how it fails"));
    }
    if (file.text.find("\n#pragma once\n") == std::string::npos)
        found.push_back(at(file, 1, "#pragma once is missing"));
    return found;
}

Findings lengths(const SourceFile& file) {
    Findings found;
    const auto lines = lines_of(file.text);
    if (lines.size() > kFileLinesMax) {
        found.push_back(at(file, lines.size(), fmt::format("over {} lines: split it by concern", kFileLinesMax)));
    }
    for (std::size_t i = 0; i < lines.size(); ++i) {
        const auto continues = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; };
        const auto columns =
            lines[i].size() - static_cast<std::size_t>(std::count_if(lines[i].begin(), lines[i].end(), continues));
        if (columns > kColumnsMax)
            found.push_back(at(file, i + 1, fmt::format("{} columns, over {}", columns, kColumnsMax)));
    }
    return found;
}

Findings leftovers(const SourceFile& file) {
    static const std::regex kWords(
        "\\b(TO"
        "DO|FIX"
        "ME|XX"
        "X|HA"
        "CK)\\b");
    Findings found;
    std::size_t number = 0;
    for (const auto line : lines_of(file.text)) {
        ++number;
        if (std::regex_search(line.begin(), line.end(), kWords))
            found.push_back(at(file, number, "finish it, or write an issue"));
    }
    return found;
}

Findings braces_in_co_await(const SourceFile& file) {
    // A body follows these; any other brace builds something.
    static const std::regex kBodyFollows(R"((?:[)\]]|\bmutable|\bnoexcept|->\s*[\w:<>*&]+)\s*$)");
    const std::string& text = file.text;
    Findings found;
    for (std::size_t at_word = 0; (at_word = text.find("co_await", at_word)) != std::string::npos; ++at_word) {
        const auto before = text.find_last_of(";{}", at_word);
        const auto begin = before == std::string::npos ? 0 : before + 1;
        for (auto i = text.find_first_of(";{", begin); i != std::string::npos && text[i] != ';';) {
            const auto head = text.substr(begin, i - begin);
            if (!std::regex_search(head, kBodyFollows)) {
                const auto line =
                    1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at_word), '\n');
                found.push_back(at(file, static_cast<std::size_t>(line),
                                   "a brace-built temporary inside a co_await expression: name it first"));
                break;
            }
            i = text.find_first_of(";{", end_of_body(text, i));
        }
    }
    return found;
}

Findings copies(const std::vector<SourceFile>& files) {
    struct Place {
        const SourceFile* file;
        std::size_t begin, line;
    };
    std::map<std::string, Place> seen;
    Findings found;
    for (const auto& file : files) {
        if (!starts(file, "src/")) continue;
        const auto lines = telling_lines_of(file.text);
        for (std::size_t begin = 0; begin + kCopiedLinesMin <= lines.size(); ++begin) {
            std::string run;
            for (std::size_t i = begin; i < begin + kCopiedLinesMin; ++i) run += lines[i].text + '\n';
            const auto [it, fresh] = seen.try_emplace(std::move(run), Place{&file, begin, lines[begin].number});
            const Place& first = it->second;
            if (fresh || (first.file == &file && begin < first.begin + kCopiedLinesMin)) continue;
            found.push_back(at(file, lines[begin].number,
                               fmt::format("a copy of {}:{}: keep it in one place", first.file->path, first.line)));
            begin += kCopiedLinesMin - 1;  // once for a long run
        }
    }
    return found;
}

Findings sleeps(const SourceFile& file) {
    static const std::regex kSleep(R"(\b(sleep_for|sleep_until|usleep|nanosleep|sleep)\s*\()");
    Findings found;
    if (!starts(file, "tests/")) return found;
    std::size_t number = 0;
    for (const auto line : lines_of(file.text)) {
        ++number;
        if (std::regex_search(line.begin(), line.end(), kSleep))
            found.push_back(at(file, number, "wait on an event, not on time"));
    }
    return found;
}

}  // namespace drover::style
