#include <fmt/format.h>

#include <algorithm>

#include "base/ascii.hpp"
#include "base/counted.hpp"
#include "base/nearest.hpp"
#include "job/expression_node.hpp"

namespace drover::job {
namespace {

bool starts_name(char c) { return is_alpha(c) || c == '_'; }
bool in_name(char c) { return starts_name(c) || is_digit(c) || c == '.' || c == '-' || c == '/'; }

class Parser {
public:
    Parser(std::string_view text, Expression::Use use, const NameTable& names)
        : text_(text), use_(use), names_(names) {}

    // Throws ExpressionError inside; nobody outside sees that.
    ExpressionNode whole() {
        auto node = either();
        skip_space();
        if (at_ < text_.size()) {
            if (text_[at_] == '=') fail(at_, "'=' is no comparison: write ==");
            fail(at_, fmt::format("'{}' was not expected here", rest()));
        }
        return node;
    }

private:
    [[noreturn]] static void fail(std::size_t offset, std::string message) {
        throw ExpressionError{offset, std::move(message)};
    }
    void skip_space() {
        while (at_ < text_.size() && is_space(text_[at_])) ++at_;
    }
    std::string_view rest() const {
        constexpr std::size_t kShownMax = 20;
        return text_.substr(at_, std::min(kShownMax, text_.find_first_of(" \t\n", at_ + 1) - at_));
    }
    bool take(std::string_view sign) {
        skip_space();
        if (!text_.substr(at_).starts_with(sign)) return false;
        at_ += sign.size();
        return true;
    }
    void expect(std::string_view sign) {
        if (take(sign)) return;
        if (at_ == text_.size()) fail(at_, fmt::format("'{}' is missing at the end", sign));
        fail(at_, fmt::format("'{}' is wanted here, this is '{}'", sign, rest()));
    }

    static void want(const ExpressionNode& node, Type type) {
        if (node.type == type || node.type == Type::any || type == Type::any) return;
        // What is read as a number while the job runs.
        if (type == Type::number && node.type == Type::text) return;
        if (type == Type::text && node.type == Type::number) return;
        fail(node.offset, fmt::format("{} is wanted, this is {}{}", to_string(type), to_string(node.type),
                                      type == Type::boolean ? ": compare it, as in NAME == 'value'" : ""));
    }

    ExpressionNode made(Op op, Type type, std::size_t offset, std::vector<ExpressionNode> arguments = {}) {
        if (++nodes_ > kExpressionNodesMax)
            fail(offset, fmt::format("more than {} parts in one expression", kExpressionNodesMax));
        ExpressionNode node;
        node.op = op;
        node.type = type;
        node.offset = offset;
        node.arguments = std::move(arguments);
        return node;
    }
    ExpressionNode joined(Op op, ExpressionNode left, ExpressionNode right) {
        want(left, Type::boolean);
        want(right, Type::boolean);
        const auto offset = left.offset;
        std::vector<ExpressionNode> both;
        both.push_back(std::move(left));
        both.push_back(std::move(right));
        return made(op, Type::boolean, offset, std::move(both));
    }

    ExpressionNode either() {
        if (++depth_ > kExpressionDepthMax)
            fail(at_, fmt::format("more than {} levels of parentheses", kExpressionDepthMax));
        auto left = both();
        while (take("||")) left = joined(Op::either, std::move(left), both());
        --depth_;
        return left;
    }
    ExpressionNode both() {
        auto left = comparison();
        while (take("&&")) left = joined(Op::both, std::move(left), comparison());
        return left;
    }

    ExpressionNode comparison() {
        auto left = negated();
        static constexpr std::pair<std::string_view, Op> kSigns[] = {{"==", Op::eq}, {"!=", Op::ne}, {"<=", Op::le},
                                                                     {">=", Op::ge}, {"<", Op::lt},  {">", Op::gt}};
        for (const auto& [sign, op] : kSigns) {
            if (!take(sign)) continue;
            auto right = negated();
            check_comparison(op, left, right);
            const auto offset = left.offset;
            std::vector<ExpressionNode> sides;
            sides.push_back(std::move(left));
            sides.push_back(std::move(right));
            skip_space();
            for (const auto& [second, ignored] : kSigns) {
                if (text_.substr(at_).starts_with(second)) fail(at_, "comparisons are not chained: join two with &&");
            }
            return made(op, Type::boolean, offset, std::move(sides));
        }
        return left;
    }
    static void check_comparison(Op op, const ExpressionNode& a, const ExpressionNode& b) {
        const bool with_condition = a.type == Type::boolean || b.type == Type::boolean;
        if (!with_condition) return;
        if (op != Op::eq && op != Op::ne) fail(a.offset, "a condition is neither less nor more than something");
        if (a.type == Type::any || b.type == Type::any || a.type == b.type) return;
        fail(b.offset, fmt::format("{} is compared with {}", to_string(a.type), to_string(b.type)));
    }

    ExpressionNode negated() {
        skip_space();
        const auto offset = at_;
        if (text_.substr(at_).starts_with("!=") || !take("!")) return operand();
        if (++depth_ > kExpressionDepthMax) fail(at_, fmt::format("more than {} times '!'", kExpressionDepthMax));
        auto inner = negated();
        --depth_;
        want(inner, Type::boolean);
        std::vector<ExpressionNode> one;
        one.push_back(std::move(inner));
        return made(Op::negate, Type::boolean, offset, std::move(one));
    }

    ExpressionNode operand() {
        skip_space();
        if (at_ == text_.size())
            fail(at_, text_.empty() ? "the expression is empty" : "something is missing at the end");
        const char c = text_[at_];
        if (c == '(') {
            ++at_;
            auto inner = either();
            expect(")");
            return inner;
        }
        if (c == '\'' || c == '"') return quoted(c);
        if (is_digit(c) || (c == '-' && at_ + 1 < text_.size() && is_digit(text_[at_ + 1]))) return number();
        if (starts_name(c)) return word();
        fail(at_, fmt::format("'{}' was not expected here", rest()));
    }

    ExpressionNode quoted(char quote) {
        auto node = made(Op::literal, Type::text, at_);
        std::string value;
        for (++at_;; ++at_) {
            if (at_ == text_.size()) fail(node.offset, fmt::format("{} without a second {}", quote, quote));
            if (text_[at_] != quote) {
                value += text_[at_];
            } else if (at_ + 1 < text_.size() && text_[at_ + 1] == quote) {
                value += text_[at_++];
            } else {
                break;
            }
        }
        ++at_;
        node.literal = std::move(value);
        return node;
    }

    ExpressionNode number() {
        auto node = made(Op::literal, Type::number, at_);
        const auto begin = at_++;
        while (at_ < text_.size() && in_name(text_[at_])) ++at_;
        const auto value = to_number(text_.substr(begin, at_ - begin));
        if (!value) fail(begin, fmt::format("'{}' is no whole number", text_.substr(begin, at_ - begin)));
        node.literal = *value;
        return node;
    }

    ExpressionNode word() {
        const auto begin = at_;
        while (at_ < text_.size() && in_name(text_[at_])) ++at_;
        const auto name = text_.substr(begin, at_ - begin);
        skip_space();
        if (at_ < text_.size() && text_[at_] == '(') return call(name, begin);
        if (name == "true" || name == "false") {
            auto node = made(Op::literal, Type::boolean, begin);
            node.literal = name == "true";
            return node;
        }
        auto resolved = names_.resolve(name);
        if (!resolved) fail(begin, std::move(resolved.error()));
        auto node = made(Op::name, resolved->type, begin);
        node.name = *std::move(resolved);
        return node;
    }

    ExpressionNode call(std::string_view name, std::size_t begin) {
        const Function* const function = find_function(name);
        if (!function) {
            std::vector<std::string_view> known{"raw"};
            for (const auto& f : all_functions()) known.push_back(f.name);
            fail(begin, name == "raw" ? std::string("raw() goes around everything: {{ raw(NAME) }}")
                                      : fmt::format("no function '{}'{}", name, did_you_mean(name, known)));
        }
        if (use_ == Expression::Use::value && is_standing(function->id))
            fail(begin, fmt::format("{}() belongs into 'if'", name));
        expect("(");
        std::vector<ExpressionNode> arguments;
        if (!take(")")) {
            do arguments.push_back(either());
            while (take(","));
            expect(")");
        }
        if (arguments.size() != function->arguments.size()) {
            fail(begin, fmt::format("{}() takes {}, these are {}", name, counted(function->arguments.size(), "value"),
                                    arguments.size()));
        }
        for (std::size_t i = 0; i < arguments.size(); ++i) want(arguments[i], function->arguments[i]);
        const bool same = function->id == FunctionId::fallback && arguments[0].type == arguments[1].type;
        const Type type =
            same ? arguments[0].type : function->result;  // before they are moved: arguments have no order
        auto node = made(Op::call, type, begin, std::move(arguments));
        node.function = function;
        return node;
    }

    std::string_view text_;
    const Expression::Use use_;
    const NameTable& names_;
    std::size_t at_ = 0;
    std::size_t depth_ = 0;
    std::size_t nodes_ = 0;
};

}  // namespace

tl::expected<Expression, ExpressionError> Expression::parse(std::string_view text, Use use, const NameTable& names) {
    if (text.size() > kExpressionBytesMax)
        return tl::unexpected(ExpressionError{0, fmt::format("more than {} bytes", kExpressionBytesMax)});
    try {
        auto root = std::make_shared<ExpressionNode>(Parser(text, use, names).whole());
        if (use == Use::condition && root->type != Type::boolean) {
            return tl::unexpected(ExpressionError{
                root->offset, fmt::format("a condition is wanted, this is {}: compare it, as in NAME == 'value'",
                                          to_string(root->type))});
        }
        return Expression(std::move(root));
    } catch (ExpressionError& error) {
        return tl::unexpected(std::move(error));
    }
}

}  // namespace drover::job
