// The tree behind an Expression, and its functions. Private to expression*.cpp. Immutable once built; any thread.
#pragma once
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "job/expression.hpp"

namespace drover::job {

enum class Op : std::uint8_t { literal, name, negate, both, either, eq, ne, lt, le, gt, ge, call };

enum class FunctionId : std::uint8_t {
    success,
    failure,
    always,
    cancelled,
    contains,
    starts_with,
    ends_with,
    matches,
    lower,
    upper,
    trim,
    replace,
    line,
    length,
    number,
    text,
    fallback,
};

struct Function {
    std::string_view name;
    FunctionId id;
    std::vector<Type> arguments;
    Type result;
};
const Function* find_function(std::string_view name);
std::span<const Function> all_functions();
constexpr bool is_standing(FunctionId id) { return id <= FunctionId::cancelled; }

struct ExpressionNode {
    Op op = Op::literal;
    Type type = Type::any;
    std::size_t offset = 0;  // bytes from the start of the expression
    Value literal;
    Name name;
    const Function* function = nullptr;
    std::vector<ExpressionNode> arguments;
};

tl::expected<Value, std::string> evaluate(const ExpressionNode& node, const Scope& scope);

}  // namespace drover::job
