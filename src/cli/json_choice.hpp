// What a command has to say, for people or for programs. Main thread.
#pragma once
#include <boost/json/object.hpp>
#include <string_view>

#include "cli/command.hpp"

namespace drover::cli {

// Whether a command that knows no other forms than text and JSON shall give JSON.
inline bool wants_json(const Context& context) {
    return context.output == OutputMode::json || context.output == OutputMode::jsonl;
}

// Prints `text`, or `document` on one line. Gives the exit code of a command that has nothing else to do; 1: stdout took it not.
int print_result(const Context& context, std::string_view text, const boost::json::object& document);

}  // namespace drover::cli
