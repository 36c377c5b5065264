// Follows the quoting of a shell line, to tell whether a quoted word can be put in at a place. Pure; one thread.
// It knows quotes, $'..', comments, and substitutions inside each other; after a here-document it gives up.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace drover::job {

class ShellContext {
public:
    enum class Place : std::uint8_t { bare, quoted, unknown };

    void feed(std::string_view text);  // the next piece of the line
    void feed_word();                  // a word stands here that was put in
    Place place() const;

private:
    void feed_char(char c, char next);
    void in_double_quotes(char c, char next);
    void in_bare_text(char c, char next);
    char top() const { return open_.empty() ? '\0' : open_.back(); }

    // Each open quote or substitution: ' " ` ( for $( and (, { for ${, $ for $'..'
    std::string open_;
    bool skip_ = false;  // the next character is escaped, or belongs to what came before
    bool comment_ = false;
    bool word_start_ = true;  // a # here begins a comment
    bool here_document_ = false;
    std::uint8_t less_signs_ = 0;  // '<' seen in a row
};

}  // namespace drover::job
