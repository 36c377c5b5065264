// Texts with {{ expression }} in them: commands, environment values, arguments of host programs, messages.
//
//   {{ expression }}        its value (expression.hpp)
//   {{ raw(expression) }}   the same without quoting, in shell lines only
//   {{ '{{' }}              two braces
//
// In a shell line (Use::shell) a value is put in as one single-quoted word, so it can never become more than a word of the
// command; it may therefore stand only where no quote is open. Elsewhere (Use::plain) a value goes in as it is: whoever uses
// the text takes it as a whole.
// Pure; immutable once parsed; any thread. Failure: TemplateError says what, and where; expand() says which value is missing.
#pragma once
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "job/expression.hpp"

namespace drover::job {

struct TemplateError {
    std::size_t opening = 0;  // which "{{" of the text, from 0
    std::size_t offset = 0;   // bytes from there
    std::string message;
};

class Template {
public:
    enum class Use : unsigned char { shell, plain };

    Template() = default;  // the empty text
    // All errors are collected.
    static tl::expected<Template, std::vector<TemplateError>> parse(std::string_view text, Use use,
                                                                    const NameTable& names);
    static Template literal(std::string text);
    static Template joined(std::vector<Template> parts);
    // The whole text as one quoted word of a shell line.
    Template quoted() const;

    tl::expected<std::string, std::string> expand(const Scope& scope) const;
    // What can be known before the job runs; the rest stays as it is written.
    std::string preview(const Scope& scope) const;

    void each_name(const std::function<void(const Name&)>& tell) const;
    // Names without which the text cannot be made: those that stand alone between their braces.
    void each_needed_name(const std::function<void(const Name&)>& tell) const;

private:
    struct Part {
        Expression expression;
        std::string source;  // with its braces
        bool quote = true;
    };
    static tl::expected<std::string, std::string> value_of(const Part& part, const Scope& scope);

    std::vector<std::variant<std::string, Part, std::shared_ptr<const Template>>> pieces_;
    bool quote_whole_ = false;
};

}  // namespace drover::job
