// Instance ids, patterns over them, and their folded form.
//
// A pattern is an id in which `*` stands for any text, `?` for one character, and `[01-20,25]` for a number out of a list.
// A list's leading zeros count: [01-20] is 01, 02 .. 20, while [1-20] is 1, 2 .. 20. Several of each may stand in one
// pattern. Pure; any thread; bounded time: pattern length times text length.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "drover/error.hpp"

namespace drover {

constexpr std::size_t kInstanceIdMax = 32;  // bytes
constexpr std::size_t kPatternBytesMax = 4096;
constexpr std::size_t kPatternNumberDigitsMax = 18;

// [A-Za-z0-9][A-Za-z0-9._-]{0,31}
bool valid_instance_id(std::string_view id);

struct PatternError {
    std::size_t offset = 0;  // bytes from the pattern's start
    std::string message;
};

class IdPattern {
public:
    static tl::expected<IdPattern, PatternError> parse(std::string_view pattern);
    static IdPattern literal(std::string_view text);  // no character is special

    bool matches(std::string_view text) const;
    // Neither *, ? nor [..]: it matches exactly this text.
    bool is_literal() const { return parts_.size() <= 1 && (parts_.empty() || parts_[0].kind == Part::Kind::text); }

    // All texts of a pattern without * and ?, in order. An error when there are more than `max` (1 or more).
    Result<std::vector<std::string>> expand(std::size_t max) const;

private:
    struct Range {
        std::uint64_t first = 0, last = 0;
        std::size_t width = 0;  // digits when leading zeros count, else 0
    };
    struct Part {
        enum class Kind : std::uint8_t { text, one, any, number };
        Kind kind = Kind::text;
        std::string text;
        std::vector<Range> ranges;
    };
    static tl::expected<std::vector<Range>, PatternError> parse_list(std::string_view list, std::size_t offset);
    static bool number_matches(const Part& part, std::string_view digits);

    std::vector<Part> parts_;
};

// Ids as one short text: {"r-01", "r-02", "r-03", "r-07", "x"} -> "r-[01-03,07],x". In the order of first appearance,
// numbers sorted, repeated ids once. The last number of an id is the one that is folded.
std::string compress_ids(std::span<const std::string> ids);

}  // namespace drover
