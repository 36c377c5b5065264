// Whether a command that knows no other forms than text and JSON shall give JSON. Any thread.
#pragma once
#include "cli/command.hpp"

namespace drover::cli {

inline bool wants_json(const Context& context) {
    return context.output == OutputMode::json || context.output == OutputMode::jsonl;
}

}  // namespace drover::cli
