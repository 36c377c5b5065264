// Request bodies of the documented device calls: read and judged before anything runs. Pure; any thread.
// Failure: one sentence that names the key and the rule; it becomes KOOPHONE.API.1000.
#pragma once
#include <boost/json/object.hpp>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

namespace drover::http {

constexpr std::size_t kCommandBytesMax = 1024;
constexpr std::size_t kIdsMax = 100;
constexpr std::size_t kIdCharactersMax = 32;

struct CommandBody {
    std::string command;                    // byte-exact, never trimmed
    std::vector<std::string> instance_ids;  // each once, in the order of first appearance
};

// Unknown keys are ignored.
tl::expected<CommandBody, std::string> parse_command_body(std::string_view body);
tl::expected<std::vector<std::string>, std::string> parse_ids_body(std::string_view body);

// A body that is one JSON object.
tl::expected<boost::json::object, std::string> parse_object(std::string_view body);
std::size_t characters(std::string_view utf8);

// Letters, digits, '_' '.' '/' ':' '-' and the space: no character that a shell takes for its own.
bool is_allowed_in_command(char c);

}  // namespace drover::http
