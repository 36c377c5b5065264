#include "job/value.hpp"

#include <charconv>

#include "base/ascii.hpp"

namespace drover::job {
namespace {

std::size_t digits_end(std::string_view text, std::size_t from) {
    while (from < text.size() && is_digit(text[from])) ++from;
    return from;
}

std::string_view without_zeros(std::string_view digits) {
    while (digits.size() > 1 && digits.front() == '0') digits.remove_prefix(1);
    return digits;
}

}  // namespace

std::string_view to_string(Type type) {
    switch (type) {
        case Type::boolean: return "a condition";
        case Type::number: return "a number";
        case Type::text: return "a text";
        case Type::any: break;
    }
    return "a value";
}

bool is_missing(const Value& value) { return std::holds_alternative<std::monostate>(value); }

std::string to_text(const Value& value) {
    if (const auto* text = std::get_if<std::string>(&value)) return *text;
    if (const auto* number = std::get_if<std::int64_t>(&value)) return std::to_string(*number);
    if (const auto* truth = std::get_if<bool>(&value)) return *truth ? "true" : "false";
    return {};
}

std::optional<std::int64_t> to_number(std::string_view text) {
    while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return number;
}

std::strong_ordering natural_order(std::string_view a, std::string_view b) {
    std::size_t i = 0, j = 0;
    while (i < a.size() && j < b.size()) {
        if (is_digit(a[i]) && is_digit(b[j])) {
            const std::size_t end_a = digits_end(a, i), end_b = digits_end(b, j);
            const auto x = without_zeros(a.substr(i, end_a - i)), y = without_zeros(b.substr(j, end_b - j));
            if (const auto by_length = x.size() <=> y.size(); by_length != 0) return by_length;
            if (const auto by_digits = x <=> y; by_digits != 0) return by_digits;
            i = end_a;
            j = end_b;
        } else {
            if (const auto by_character = a[i] <=> b[j]; by_character != 0) return by_character;
            ++i;
            ++j;
        }
    }
    return (a.size() - i) <=> (b.size() - j);
}

std::optional<std::strong_ordering> order(const Value& a, const Value& b) {
    if (is_missing(a) || is_missing(b)) return std::nullopt;
    const auto* text_a = std::get_if<std::string>(&a);
    const auto* text_b = std::get_if<std::string>(&b);
    if (text_a && text_b) return natural_order(*text_a, *text_b);
    const auto number = [](const Value& v, const std::string* text) -> std::optional<std::int64_t> {
        if (text) return to_number(*text);
        const auto* own = std::get_if<std::int64_t>(&v);
        return own ? std::optional(*own) : std::nullopt;
    };
    const auto x = number(a, text_a), y = number(b, text_b);
    if (!x || !y) return std::nullopt;
    return *x <=> *y;
}

bool equal(const Value& a, const Value& b) {
    if (a.index() == b.index()) return a == b;
    const auto by_order = order(a, b);
    return by_order && *by_order == 0;
}

}  // namespace drover::job
