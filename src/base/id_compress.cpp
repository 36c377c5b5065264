// compress_ids: the way back from a list of ids to ranges.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <set>
#include <tuple>
#include <unordered_set>

#include "base/ascii.hpp"
#include "base/id_ranges.hpp"

namespace drover {
namespace {

struct Split {
    std::string_view prefix, digits, suffix;  // digits: the last number; empty when there is none to fold
};

Split split(std::string_view id) {
    std::size_t end = id.size();
    while (end > 0 && !is_digit(id[end - 1])) --end;
    std::size_t begin = end;
    while (begin > 0 && is_digit(id[begin - 1])) --begin;
    if (begin == end || end - begin > kPatternNumberDigitsMax) return {id, {}, {}};
    return {id.substr(0, begin), id.substr(begin, end - begin), id.substr(end)};
}

// Ids that share everything but the number. width 0: numbers without leading zeros, of any length.
using Key = std::tuple<std::string_view, std::string_view, std::size_t>;
using Numbers = std::set<std::uint64_t>;

std::string fold(const Numbers& numbers, std::size_t width) {
    std::string out;
    for (auto it = numbers.begin(); it != numbers.end();) {
        const std::uint64_t first = *it;
        std::uint64_t last = first;
        while (++it != numbers.end() && *it == last + 1) ++last;
        out += fmt::format("{}{:0{}}", out.empty() ? "" : ",", first, width);
        if (last != first) out += fmt::format("-{:0{}}", last, width);
    }
    return out;
}

}  // namespace

std::string compress_ids(std::span<const std::string> ids) {
    // The lengths at which a number with leading zeros stands: there all numbers of that length belong together.
    std::set<Key> padded;
    for (const std::string& id : ids) {
        const Split s = split(id);
        if (s.digits.size() > 1 && s.digits[0] == '0') padded.insert({s.prefix, s.suffix, s.digits.size()});
    }
    std::map<Key, Numbers> groups;
    struct Place {
        Key key;
        bool plain;
    };
    std::vector<Place> order;
    std::unordered_set<std::string_view> plain_seen;
    for (const std::string& id : ids) {
        const Split s = split(id);
        Key key{s.prefix, s.suffix, 0};
        if (s.digits.empty()) {
            if (plain_seen.insert(id).second) order.push_back({key, true});
            continue;
        }
        if (padded.count({s.prefix, s.suffix, s.digits.size()}) != 0) std::get<2>(key) = s.digits.size();
        std::uint64_t number = 0;
        std::from_chars(s.digits.data(), s.digits.data() + s.digits.size(), number);
        Numbers& numbers = groups[key];
        if (numbers.empty()) order.push_back({key, false});
        numbers.insert(number);
    }
    std::string out;
    for (const Place& place : order) {
        if (!out.empty()) out += ',';
        const auto& [prefix, suffix, width] = place.key;
        out += prefix;
        if (place.plain) continue;
        const Numbers& numbers = groups[place.key];
        const std::string folded = fold(numbers, width);
        out += numbers.size() == 1 ? folded : "[" + folded + "]";
        out += suffix;
    }
    return out;
}

}  // namespace drover
