// What an expression of a job file works with: a truth value, a whole number, a text, or nothing where a phone lacks what
// was asked for. Pure; any thread. Failure: none; what cannot be compared is an empty optional.
#pragma once
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace drover::job {

using Value = std::variant<std::monostate, bool, std::int64_t, std::string>;  // monostate: missing

enum class Type : std::uint8_t { any, boolean, number, text };
std::string_view to_string(Type type);  // "a condition", "a number", "a text", "a value"

bool is_missing(const Value& value);
std::string to_text(const Value& value);                       // missing: empty
std::optional<std::int64_t> to_number(std::string_view text);  // white space around it is allowed
std::strong_ordering natural_order(std::string_view a,
                                   std::string_view b);  // runs of digits by their number: 9 before 10

// Texts that hold numbers meet numbers as numbers. Missing equals only missing.
bool equal(const Value& a, const Value& b);
// Empty: one of them is missing, or a text that holds no number meets a number.
std::optional<std::strong_ordering> order(const Value& a, const Value& b);

}  // namespace drover::job
