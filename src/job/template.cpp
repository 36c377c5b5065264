#include "job/template.hpp"

#include <fmt/format.h>

#include "base/shell_quote.hpp"
#include "job/shell_context.hpp"

namespace drover::job {
namespace {

constexpr std::string_view kOpen = "{{", kClose = "}}";

bool is_blank(char c) { return c == ' ' || c == '\t'; }

std::string_view trim(std::string_view text) {
    while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
    return text;
}

// Where the "}}" of the expression at the start of `text` stands; not one inside quotes, and not on another line.
std::size_t find_close(std::string_view text) {
    char quote = '\0';
    for (std::size_t i = 0; i < text.size() && text[i] != '\n'; ++i) {
        if (quote) {
            if (text[i] == quote) quote = '\0';
        } else if (text[i] == '\'' || text[i] == '"') {
            quote = text[i];
        } else if (text.substr(i).starts_with(kClose)) {
            return i;
        }
    }
    return std::string_view::npos;
}

std::size_t openings_in(std::string_view text) {
    std::size_t count = 0;
    for (std::size_t at = 0; (at = text.find(kOpen, at)) != std::string_view::npos; at += kOpen.size()) ++count;
    return count;
}

// raw(inner), with nothing after it.
std::optional<std::string_view> inside_raw(std::string_view text) {
    constexpr std::string_view kRaw = "raw";
    if (!text.starts_with(kRaw)) return std::nullopt;
    const auto rest = trim(text.substr(kRaw.size()));
    if (!rest.starts_with('(') || !rest.ends_with(')')) return std::nullopt;
    return trim(rest.substr(1, rest.size() - 2));
}

std::string misplaced(ShellContext::Place place, std::string_view expression) {
    if (place == ShellContext::Place::unknown) {
        return fmt::format(
            "after '<<' it is not clear how to quote a value: put it into env, or write {{{{ raw({}) }}}}", expression);
    }
    return fmt::format(
        "a value is quoted by itself and cannot stand inside quotes, ${{..}} or a comment: take them away, or write "
        "{{{{ raw({}) }}}}",
        expression);
}

}  // namespace

Template Template::literal(std::string text) {
    Template out;
    out.pieces_.emplace_back(std::move(text));
    return out;
}

Template Template::joined(std::vector<Template> parts) {
    Template out;
    for (auto& part : parts) out.pieces_.emplace_back(std::make_shared<const Template>(std::move(part)));
    return out;
}

Template Template::quoted() const {
    Template out = *this;
    out.quote_whole_ = true;
    return out;
}

tl::expected<Template, std::vector<TemplateError>> Template::parse(std::string_view text, Use use,
                                                                   const NameTable& names) {
    Template out;
    std::vector<TemplateError> errors;
    ShellContext shell;
    const auto plain = [&](std::string_view piece) {
        if (use == Use::shell) shell.feed(piece);
        if (!piece.empty()) out.pieces_.emplace_back(std::string(piece));
    };
    for (std::size_t opening = 0;; ++opening) {
        const std::size_t begin = text.find(kOpen);
        plain(text.substr(0, begin));
        if (begin == std::string_view::npos) break;
        text.remove_prefix(begin);
        const auto wrong = [&](std::size_t offset, std::string message) {
            errors.push_back({opening, offset, std::move(message)});
        };
        const std::size_t end = find_close(text.substr(kOpen.size()));
        if (end == std::string_view::npos) {
            wrong(0, "'{{' without '}}' in its line; for the braces themselves write {{ '{{' }}");
            break;
        }
        const auto source = text.substr(0, kOpen.size() + end + kClose.size());
        const auto whole = trim(text.substr(kOpen.size(), end));
        text.remove_prefix(source.size());
        if (whole == "'{{'") {
            plain("{{");
        } else {
            const auto raw = inside_raw(whole);
            const auto inner = raw.value_or(whole);
            const auto offset = static_cast<std::size_t>((inner.empty() ? whole : inner).data() - source.data());
            auto expression = Expression::parse(inner, Expression::Use::value, names);
            if (!expression) {
                wrong(offset + expression.error().offset, std::move(expression.error().message));
            } else if (raw && use == Use::plain) {
                wrong(0, fmt::format("nothing is quoted here, so raw() has no meaning: write {{{{ {} }}}}", inner));
            } else if (!raw && use == Use::shell && shell.place() != ShellContext::Place::bare) {
                wrong(0, misplaced(shell.place(), inner));
            } else {
                out.pieces_.emplace_back(Part{*std::move(expression), std::string(source), !raw && use == Use::shell});
            }
            shell.feed_word();
        }
        opening += openings_in(source.substr(1));  // those inside quotes stand in the text too
    }
    if (!errors.empty()) return tl::unexpected(std::move(errors));
    return out;
}

tl::expected<std::string, std::string> Template::value_of(const Part& part, const Scope& scope) {
    const auto value = part.expression.evaluate(scope);
    if (!value) return tl::unexpected(fmt::format("{}: {}", part.source, value.error()));
    if (is_missing(*value)) return tl::unexpected(fmt::format("{} has no value for {}", scope.phone.id, part.source));
    auto text = to_text(*value);
    if (text.find('\0') != std::string::npos) return tl::unexpected(part.source + " holds a NUL character");
    return part.quote ? shell_quote(text) : std::move(text);
}

tl::expected<std::string, std::string> Template::expand(const Scope& scope) const {
    std::string out;
    for (const auto& piece : pieces_) {
        if (const auto* text = std::get_if<std::string>(&piece)) {
            out += *text;
            continue;
        }
        const auto* inner = std::get_if<std::shared_ptr<const Template>>(&piece);
        auto value = inner ? (*inner)->expand(scope) : value_of(std::get<Part>(piece), scope);
        if (!value) return value;
        out += *value;
        if (out.size() > kTextBytesMax) return tl::unexpected(fmt::format("more than {} bytes", kTextBytesMax));
    }
    return quote_whole_ ? shell_quote(out) : out;
}

std::string Template::preview(const Scope& scope) const {
    std::string out;
    for (const auto& piece : pieces_) {
        if (const auto* text = std::get_if<std::string>(&piece)) {
            out += *text;
            continue;
        }
        if (const auto* inner = std::get_if<std::shared_ptr<const Template>>(&piece)) {
            out += (*inner)->preview(scope);
            continue;
        }
        const Part& part = std::get<Part>(piece);
        bool known = true;
        const std::function<void(const Name&)> look = [&](const Name& name) {
            known = known && name.kind != Name::Kind::phone && name.kind != Name::Kind::output;
            if (name.value) name.value->each_name(look);
        };
        part.expression.each_name(look);
        const auto value = known ? value_of(part, scope) : tl::unexpected(std::string());
        out += value ? *value : part.source;
    }
    return quote_whole_ ? shell_quote(out) : out;
}

void Template::each_name(const std::function<void(const Name&)>& tell) const {
    for (const auto& piece : pieces_) {
        if (const auto* part = std::get_if<Part>(&piece)) part->expression.each_name(tell);
        if (const auto* inner = std::get_if<std::shared_ptr<const Template>>(&piece)) (*inner)->each_name(tell);
    }
}

void Template::each_needed_name(const std::function<void(const Name&)>& tell) const {
    for (const auto& piece : pieces_) {
        const auto* part = std::get_if<Part>(&piece);
        if (const Name* name = part ? part->expression.only_name() : nullptr) tell(*name);
        if (const auto* inner = std::get_if<std::shared_ptr<const Template>>(&piece)) (*inner)->each_needed_name(tell);
    }
}

}  // namespace drover::job
