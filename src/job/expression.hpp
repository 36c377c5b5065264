// The expressions of job files: in `if`, and between {{ and }}.
//
//   'text'  "text"  42  true  false             a quote inside '..' is written twice
//   vars, instance, serial, labels.KEY, phone.NAME, outputs.NAME.FIELD, matrix.KEY, secrets.NAME, run.id
//   ==  !=  <  <=  >  >=                        not chained; texts by their runs of digits, so that 9 comes before 10
//   !  &&  ||  ( )                              by strength; both sides are conditions
//   contains(text, part)  startsWith(text, part)  endsWith(text, part)  matches(text, 'glob*')
//   lower(t)  upper(t)  trim(t)  replace(t, from, to)  line(t, n)  length(t)  number(t)  text(v)  default(v, other)
//   success()  failure()  always()  cancelled() in `if` only
//
// Nothing of it runs code, and everything is bounded. Types are checked while the file is read: a text is no condition.
// Pure; immutable once parsed; any thread. Failure: parse() says what, and at which byte; evaluate() says which value is
// missing or is no number.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "job/scope.hpp"

namespace drover::job {

constexpr std::size_t kExpressionBytesMax = 4096;
constexpr std::size_t kExpressionDepthMax = 32;
constexpr std::size_t kExpressionNodesMax = 256;
constexpr std::size_t kTextBytesMax = 256 * 1024;  // of any text that comes out of an expression

struct ExpressionError {
    std::size_t offset = 0;  // bytes from the start of the expression
    std::string message;
};

struct ExpressionNode;

class Expression {
public:
    enum class Use : std::uint8_t { condition, value };

    static tl::expected<Expression, ExpressionError> parse(std::string_view text, Use use, const NameTable& names);

    tl::expected<Value, std::string> evaluate(const Scope& scope) const;
    Type type() const;
    // The name, when it is nothing but that; else null.
    const Name* only_name() const;
    void each_name(const std::function<void(const Name&)>& tell) const;
    bool asks_standing() const;  // holds success(), failure(), always() or cancelled()

private:
    explicit Expression(std::shared_ptr<const ExpressionNode> root) : root_(std::move(root)) {}
    std::shared_ptr<const ExpressionNode> root_;
};

}  // namespace drover::job
