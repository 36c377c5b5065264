#include "job/expression.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "job/expression_node.hpp"
#include "job/template.hpp"

namespace drover::job {
namespace {

using Evaluated = tl::expected<Value, std::string>;

const std::vector<Function>& functions() {
    constexpr auto kText = Type::text, kAny = Type::any, kNumber = Type::number, kCondition = Type::boolean;
    static const std::vector<Function> kAll{
        {"success", FunctionId::success, {}, kCondition},
        {"failure", FunctionId::failure, {}, kCondition},
        {"always", FunctionId::always, {}, kCondition},
        {"cancelled", FunctionId::cancelled, {}, kCondition},
        {"contains", FunctionId::contains, {kText, kText}, kCondition},
        {"startsWith", FunctionId::starts_with, {kText, kText}, kCondition},
        {"endsWith", FunctionId::ends_with, {kText, kText}, kCondition},
        {"matches", FunctionId::matches, {kText, kText}, kCondition},
        {"lower", FunctionId::lower, {kText}, kText},
        {"upper", FunctionId::upper, {kText}, kText},
        {"trim", FunctionId::trim, {kText}, kText},
        {"replace", FunctionId::replace, {kText, kText, kText}, kText},
        {"line", FunctionId::line, {kText, kNumber}, kText},
        {"length", FunctionId::length, {kText}, kNumber},
        {"number", FunctionId::number, {kAny}, kNumber},
        {"text", FunctionId::text, {kAny}, kText},
        {"default", FunctionId::fallback, {kAny, kAny}, kAny},
    };
    return kAll;
}

bool glob(std::string_view pattern, std::string_view text) {
    std::size_t p = 0, t = 0, star = std::string_view::npos, retry = 0;
    while (t < text.size()) {
        if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            retry = t;
        } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
            ++p;
            ++t;
        } else if (star != std::string_view::npos) {
            p = star + 1;
            t = ++retry;
        } else {
            return false;
        }
    }
    while (p < pattern.size() && pattern[p] == '*') ++p;
    return p == pattern.size();
}

std::string changed(std::string text, char from, char to, int shift) {
    for (char& c : text) {
        if (c >= from && c <= to) c = static_cast<char>(c + shift);
    }
    return text;
}

std::string trimmed(const std::string& text) {
    constexpr std::string_view kSpace = " \t\r\n";
    const auto begin = text.find_first_not_of(kSpace);
    return begin == std::string::npos ? "" : text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

Evaluated replaced(const std::string& text, const std::string& from, const std::string& to) {
    if (from.empty()) return text;
    std::string out;
    for (std::size_t at = 0;;) {
        const auto found = text.find(from, at);
        out += text.substr(at, found - at);
        const bool last = found == std::string::npos;
        if (out.size() + (last ? 0 : to.size()) > kTextBytesMax)
            return tl::unexpected(fmt::format("more than {} bytes", kTextBytesMax));
        if (last) return out;
        out += to;
        at = found + from.size();
    }
}

// The nth line, from 1; from the end when n is negative. Missing past the ends.
Value nth_line(std::string_view text, std::int64_t n) {
    std::vector<std::string_view> lines;
    while (!text.empty()) {
        const auto end = text.find('\n');
        lines.push_back(text.substr(0, end));
        if (end == std::string_view::npos) break;
        text.remove_prefix(end + 1);
    }
    const auto count = static_cast<std::int64_t>(lines.size());
    const auto at = n > 0 ? n - 1 : count + n;
    if (n == 0 || at < 0 || at >= count) return {};
    auto line = lines[static_cast<std::size_t>(at)];
    if (line.ends_with('\r')) line.remove_suffix(1);
    return std::string(line);
}

Evaluated call(const Function& function, const std::vector<Value>& values, const Scope& scope) {
    switch (function.id) {
        case FunctionId::success: return scope.standing == Standing::good;
        case FunctionId::failure: return scope.standing == Standing::failed;
        case FunctionId::cancelled: return scope.standing == Standing::cancelled;
        case FunctionId::always: return true;
        case FunctionId::fallback: return is_missing(values[0]) ? values[1] : values[0];
        case FunctionId::text: return to_text(values[0]);
        case FunctionId::number: {
            const auto number = to_number(to_text(values[0]));
            return number ? Value(*number) : Value();
        }
        default: break;
    }
    const auto text = [&](std::size_t i) { return to_text(values[i]); };
    switch (function.id) {
        case FunctionId::contains: return text(0).find(text(1)) != std::string::npos;
        case FunctionId::starts_with: return text(0).starts_with(text(1));
        case FunctionId::ends_with: return text(0).ends_with(text(1));
        case FunctionId::matches: return glob(text(1), text(0));
        case FunctionId::lower: return changed(text(0), 'A', 'Z', 'a' - 'A');
        case FunctionId::upper: return changed(text(0), 'a', 'z', 'A' - 'a');
        case FunctionId::trim: return trimmed(text(0));
        case FunctionId::replace: return replaced(text(0), text(1), text(2));
        case FunctionId::line: return nth_line(text(0), to_number(text(1)).value_or(0));
        default: return static_cast<std::int64_t>(text(0).size());
    }
}

Evaluated compare(const ExpressionNode& node, const Scope& scope) {
    auto a = evaluate(node.arguments[0], scope);
    if (!a) return a;
    auto b = evaluate(node.arguments[1], scope);
    if (!b) return b;
    if (node.op == Op::eq) return equal(*a, *b);
    if (node.op == Op::ne) return !equal(*a, *b);
    if (is_missing(*a) || is_missing(*b)) return false;
    const auto by_order = order(*a, *b);
    if (!by_order) {
        const Value& text = std::holds_alternative<std::string>(*a) ? *a : *b;
        constexpr std::size_t kShownMax = 40;
        return tl::unexpected(fmt::format("'{}' is no number to compare", to_text(text).substr(0, kShownMax)));
    }
    switch (node.op) {
        case Op::lt: return *by_order < 0;
        case Op::le: return *by_order <= 0;
        case Op::gt: return *by_order > 0;
        default: return *by_order >= 0;
    }
}

Evaluated named(const Name& name, const Scope& scope) {
    if (name.kind != Name::Kind::var) return scope.value_of(name);
    auto text = name.value->expand(scope);
    if (!text) return tl::unexpected(std::move(text.error()));
    return *std::move(text);
}

bool any_of(const ExpressionNode& node, const std::function<bool(const ExpressionNode&)>& test) {
    return test(node) || std::any_of(node.arguments.begin(), node.arguments.end(),
                                     [&](const ExpressionNode& child) { return any_of(child, test); });
}

}  // namespace

std::span<const Function> all_functions() { return functions(); }

const Function* find_function(std::string_view name) {
    const auto found =
        std::find_if(functions().begin(), functions().end(), [&](const Function& f) { return f.name == name; });
    return found == functions().end() ? nullptr : &*found;
}

Evaluated evaluate(const ExpressionNode& node, const Scope& scope) {
    switch (node.op) {
        case Op::literal: return node.literal;
        case Op::name: return named(node.name, scope);
        case Op::negate: {
            auto value = evaluate(node.arguments[0], scope);
            if (value) value = !(*value == Value(true));
            return value;
        }
        case Op::both:
        case Op::either: {
            auto value = evaluate(node.arguments[0], scope);
            if (!value || (*value == Value(true)) == (node.op == Op::either)) return value;
            return evaluate(node.arguments[1], scope);
        }
        case Op::call: {
            std::vector<Value> values;
            for (const auto& argument : node.arguments) {
                auto value = evaluate(argument, scope);
                if (!value) return value;
                values.push_back(*std::move(value));
            }
            return call(*node.function, values, scope);
        }
        default: return compare(node, scope);
    }
}

Evaluated Expression::evaluate(const Scope& scope) const { return job::evaluate(*root_, scope); }
Type Expression::type() const { return root_->type; }
const Name* Expression::only_name() const { return root_->op == Op::name ? &root_->name : nullptr; }

void Expression::each_name(const std::function<void(const Name&)>& tell) const {
    any_of(*root_, [&](const ExpressionNode& node) {
        if (node.op == Op::name) tell(node.name);
        return false;
    });
}

bool Expression::asks_standing() const {
    return any_of(*root_,
                  [](const ExpressionNode& node) { return node.op == Op::call && is_standing(node.function->id); });
}

}  // namespace drover::job
