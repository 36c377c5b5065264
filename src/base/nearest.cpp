#include "base/nearest.hpp"

#include <algorithm>
#include <array>

namespace drover {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

std::size_t edit_distance(std::string_view a, std::string_view b) {
    if (a.size() > kNearestWordMax || b.size() > kNearestWordMax) return std::max(a.size(), b.size());
    using Line = std::array<std::size_t, kNearestWordMax + 1>;
    Line before{}, last{}, now{};
    for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        now[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t other = a[i - 1] == b[j - 1] ? 0U : 1U;
            now[j] = std::min({last[j] + 1, now[j - 1] + 1, last[j - 1] + other});
            const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (swapped) now[j] = std::min(now[j], before[j - 2] + 1);
        }
        before = last;
        last = now;
    }
    return last[b.size()];
}

std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates) {
    if (word.empty() || word.size() > kNearestWordMax) return {};
    std::string folded(word);
    std::transform(folded.begin(), folded.end(), folded.begin(), lower);
    std::size_t best = std::max<std::size_t>(1, word.size() / 3) + 1;
    std::string_view found;
    for (const std::string_view candidate : candidates) {
        std::string other(candidate);
        std::transform(other.begin(), other.end(), other.begin(), lower);
        const std::size_t distance = edit_distance(folded, other);
        if (distance < best) {
            best = distance;
            found = candidate;
        }
    }
    return found;
}

std::string did_you_mean(std::string_view word, std::span<const std::string_view> candidates) {
    const std::string_view found = nearest(word, candidates);
    return found.empty() ? std::string() : " (did you mean '" + std::string(found) + "'?)";
}

}  // namespace drover
