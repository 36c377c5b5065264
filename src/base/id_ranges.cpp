#include "base/id_ranges.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bitset>
#include <charconv>

#include "base/ascii.hpp"

namespace drover {
namespace {

std::uint64_t to_number(std::string_view digits) {
    std::uint64_t value = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return value;
}

std::string padded(std::uint64_t number, std::size_t width) { return fmt::format("{:0{}}", number, width); }

}  // namespace

bool valid_instance_id(std::string_view id) {
    if (id.empty() || id.size() > kInstanceIdMax || !is_alnum(id[0])) return false;
    return std::all_of(id.begin(), id.end(), [](char c) { return is_alnum(c) || c == '.' || c == '_' || c == '-'; });
}

IdPattern IdPattern::literal(std::string_view text) {
    IdPattern out;
    if (!text.empty()) out.parts_.push_back(Part{Part::Kind::text, std::string(text), {}});
    return out;
}

tl::expected<IdPattern, PatternError> IdPattern::parse(std::string_view pattern) {
    if (pattern.size() > kPatternBytesMax) {
        return tl::unexpected(PatternError{0, fmt::format("a pattern of more than {} bytes", kPatternBytesMax)});
    }
    IdPattern out;
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        const char c = pattern[i];
        if (c == '*') {
            const bool again = !out.parts_.empty() && out.parts_.back().kind == Part::Kind::any;
            if (!again) out.parts_.push_back(Part{Part::Kind::any, {}, {}});
        } else if (c == '?') {
            out.parts_.push_back(Part{Part::Kind::one, {}, {}});
        } else if (c == '[') {
            const std::size_t end = pattern.find(']', i);
            if (end == std::string_view::npos) return tl::unexpected(PatternError{i, "'[' without ']'"});
            auto ranges = parse_list(pattern.substr(i + 1, end - i - 1), i + 1);
            if (!ranges) return tl::unexpected(ranges.error());
            out.parts_.push_back(Part{Part::Kind::number, {}, *std::move(ranges)});
            i = end;
        } else if (c == ']') {
            return tl::unexpected(PatternError{i, "']' without '['"});
        } else {
            if (out.parts_.empty() || out.parts_.back().kind != Part::Kind::text) {
                out.parts_.push_back(Part{Part::Kind::text, {}, {}});
            }
            out.parts_.back().text += c;
        }
    }
    return out;
}

tl::expected<std::vector<IdPattern::Range>, PatternError> IdPattern::parse_list(std::string_view list,
                                                                                std::size_t offset) {
    std::vector<Range> out;
    std::size_t at = 0;
    while (true) {
        const std::size_t end = std::min(list.find(',', at), list.size());
        const std::string_view item = list.substr(at, end - at);
        const std::size_t dash = item.find('-');
        const std::string_view first = item.substr(0, dash);
        const std::string_view last = dash == std::string_view::npos ? first : item.substr(dash + 1);
        const auto wrong = [&](std::string message) {
            return tl::unexpected(PatternError{offset + at, std::move(message)});
        };
        for (const std::string_view number : {first, last}) {
            if (number.empty() || !std::all_of(number.begin(), number.end(), is_digit)) {
                return wrong(fmt::format("'{}' is no number or range of numbers such as 01-20", item));
            }
            if (number.size() > kPatternNumberDigitsMax) return wrong("a number of too many digits");
        }
        const bool zeros = (first[0] == '0' && first.size() > 1) || (last[0] == '0' && last.size() > 1);
        if (zeros && first.size() != last.size()) {
            return wrong(fmt::format("'{}': with leading zeros both ends need the same number of digits", item));
        }
        const Range range{to_number(first), to_number(last), zeros ? first.size() : 0};
        if (range.first > range.last) return wrong(fmt::format("'{}' runs backwards", item));
        out.push_back(range);
        if (end == list.size()) return out;
        at = end + 1;
    }
}

bool IdPattern::number_matches(const Part& part, std::string_view digits) {
    const std::uint64_t value = to_number(digits);
    return std::any_of(part.ranges.begin(), part.ranges.end(), [&](const Range& range) {
        const bool form = range.width != 0 ? digits.size() == range.width : (digits[0] != '0' || digits.size() == 1);
        return form && value >= range.first && value <= range.last;
    });
}

bool IdPattern::matches(std::string_view text) const {
    constexpr std::size_t kTextMax = 511;  // ids and addresses are far shorter
    if (text.size() > kTextMax) return false;
    using Set = std::bitset<kTextMax + 1>;
    Set now;  // the places in `text` that the parts so far can reach
    now.set(0);
    for (const Part& part : parts_) {
        Set next;
        for (std::size_t at = 0; at <= text.size(); ++at) {
            if (!now[at]) continue;
            switch (part.kind) {
                case Part::Kind::text:
                    if (text.substr(at, part.text.size()) == part.text) next.set(at + part.text.size());
                    break;
                case Part::Kind::one:
                    if (at < text.size()) next.set(at + 1);
                    break;
                case Part::Kind::any:
                    for (std::size_t to = at; to <= text.size(); ++to) next.set(to);
                    at = text.size();  // what later places reach is reached already
                    break;
                case Part::Kind::number:
                    for (std::size_t n = 1; n <= kPatternNumberDigitsMax && at + n <= text.size(); ++n) {
                        if (!is_digit(text[at + n - 1])) break;
                        if (number_matches(part, text.substr(at, n))) next.set(at + n);
                    }
                    break;
            }
        }
        if (next.none()) return false;
        now = next;
    }
    return now[text.size()];
}

Result<std::vector<std::string>> IdPattern::expand(std::size_t max) const {
    std::vector<std::string> out{""};
    const auto too_many = [&] {
        return fail(Code::bad_selector, fmt::format("the pattern stands for more than {} ids", max));
    };
    for (const Part& part : parts_) {
        if (part.kind == Part::Kind::text) {
            for (std::string& text : out) text += part.text;
            continue;
        }
        if (part.kind != Part::Kind::number)
            return fail(Code::bad_selector, "a pattern with * or ? has no list of ids");
        std::uint64_t count = 0;
        for (const Range& range : part.ranges) {
            if (range.last - range.first >= max) return too_many();
            count += range.last - range.first + 1;
        }
        if (count > max / out.size()) return too_many();
        std::vector<std::string> longer;
        for (const std::string& text : out) {
            for (const Range& range : part.ranges) {
                for (std::uint64_t n = range.first; n <= range.last; ++n)
                    longer.push_back(text + padded(n, range.width));
            }
        }
        out = std::move(longer);
    }
    return out;
}

}  // namespace drover
