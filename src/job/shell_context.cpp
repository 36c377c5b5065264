#include "job/shell_context.hpp"

namespace drover::job {

void ShellContext::feed(std::string_view text) {
    for (std::size_t i = 0; i < text.size(); ++i) feed_char(text[i], i + 1 < text.size() ? text[i + 1] : '\0');
}

void ShellContext::feed_word() {
    skip_ = false;
    word_start_ = false;
    less_signs_ = 0;
}

ShellContext::Place ShellContext::place() const {
    if (here_document_) return Place::unknown;
    const char inner = top();
    return inner == '\'' || inner == '"' || inner == '$' || inner == '{' || comment_ || skip_ ? Place::quoted
                                                                                              : Place::bare;
}

void ShellContext::feed_char(char c, char next) {
    if (skip_) {
        skip_ = false;
        return;
    }
    switch (top()) {
        case '\'':
            if (c == '\'') open_.pop_back();
            return;
        case '$':
            if (c == '\\') skip_ = true;
            if (c == '\'') open_.pop_back();
            return;
        case '"': return in_double_quotes(c, next);
        default: return in_bare_text(c, next);
    }
}

void ShellContext::in_double_quotes(char c, char next) {
    if (c == '\\') {
        skip_ = true;
    } else if (c == '"') {
        open_.pop_back();
    } else if (c == '`') {
        open_ += '`';
        word_start_ = true;
    } else if (c == '$' && (next == '(' || next == '{')) {
        open_ += next;
        skip_ = true;
        word_start_ = true;
    }
}

void ShellContext::in_bare_text(char c, char next) {
    if (comment_) {
        if (c == '\n') comment_ = false;
        word_start_ = true;
        return;
    }
    const bool at_word_start = word_start_;
    word_start_ =
        c == ' ' || c == '\t' || c == '\n' || c == ';' || c == '&' || c == '|' || c == '(' || c == ')' || c == '`';
    less_signs_ = c == '<' ? static_cast<std::uint8_t>(less_signs_ + 1) : std::uint8_t{0};
    if (less_signs_ == 2 && next != '<') here_document_ = true;
    switch (c) {
        case '\\': skip_ = true; return;
        case '\'': open_ += '\''; return;
        case '"': open_ += '"'; return;
        case '#': comment_ = at_word_start && top() != '{'; return;
        case '$':
            if (next == '\'') open_ += '$';
            if (next == '(' || next == '{') open_ += next;
            skip_ = next == '\'' || next == '(' || next == '{';
            if (skip_) word_start_ = true;
            return;
        case '(': open_ += '('; return;
        case ')':
            if (top() == '(') open_.pop_back();
            return;
        case '}':
            if (top() == '{') open_.pop_back();
            return;
        case '`':
            if (top() == '`') {
                open_.pop_back();
            } else {
                open_ += '`';
            }
            return;
        default: return;
    }
}

}  // namespace drover::job
