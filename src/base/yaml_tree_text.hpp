// What the YAML parser underneath does not check in the text itself (see yaml_tree.hpp). Pure; any thread.
#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/yaml_tree.hpp"

namespace drover::yaml {

struct TextProblem {
    std::size_t offset = 0;  // bytes from the start of the text
    std::string message;
};

// Invalid UTF-8, control characters, a carriage return without a line feed.
std::optional<TextProblem> check_text(std::string_view text);

// What stands where a scalar begins, its anchor and white space skipped.
enum class ScalarStart : unsigned char { other, tag, open_quote };
// open_quote: a quoted scalar whose quote is never closed. `offset` is where yaml-cpp says the node begins.
ScalarStart look_at_scalar(std::string_view text, std::size_t offset);

// The bracket that is never closed, if the flow collections that begin around `offset` ([ and { one after the other) are not.
std::optional<std::size_t> unclosed_bracket(std::string_view text, std::size_t offset);

// Turns byte offsets into marks. Cheap when offsets mostly grow.
class Marks {
public:
    explicit Marks(std::string_view text) : text_(text) {}
    Mark at(std::size_t offset);

private:
    std::string_view text_;
    std::size_t offset_ = 0;
    Mark mark_;
};

// A friendlier sentence for a message of yaml-cpp; `line` is the text of the line it is about.
std::string explain(std::string_view yaml_message, std::string_view line);

}  // namespace drover::yaml
