#include "http/body.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <unordered_set>

#include "base/ascii.hpp"

namespace drover::http {
namespace {

namespace json = boost::json;
using Bad = tl::unexpected<std::string>;

tl::expected<std::string, std::string> read_command(const json::object& object) {
    const auto* value = object.if_contains("command");
    if (!value) return Bad("command is missing");
    if (!value->is_string()) return Bad("command must be a string");
    std::string command(value->get_string().data(), value->get_string().size());
    if (command.find_first_not_of(' ') == std::string::npos) return Bad("command is empty");
    if (command.size() > kCommandBytesMax)
        return Bad(fmt::format("command has {} bytes, more than {}", command.size(), kCommandBytesMax));
    const auto bad = std::find_if_not(command.begin(), command.end(), is_allowed_in_command);
    if (bad != command.end()) {
        return Bad(fmt::format(
            "command has a character at byte {} that is none of letters, digits, space, '_', '.', '/', ':', '-'",
            bad - command.begin()));
    }
    return command;
}

tl::expected<std::vector<std::string>, std::string> read_ids(const json::object& object) {
    const auto* value = object.if_contains("instance_ids");
    if (!value) return Bad("instance_ids is missing");
    if (!value->is_array()) return Bad("instance_ids must be a list of strings");
    const auto& list = value->get_array();
    if (list.empty()) return Bad("instance_ids is empty");
    if (list.size() > kIdsMax)
        return Bad(fmt::format("instance_ids has {} entries, more than {}", list.size(), kIdsMax));
    std::vector<std::string> ids;
    std::unordered_set<std::string> seen;
    for (std::size_t i = 0; i < list.size(); ++i) {
        if (!list[i].is_string()) return Bad(fmt::format("instance_ids[{}] must be a string", i));
        std::string id(list[i].get_string().data(), list[i].get_string().size());
        if (id.empty() || characters(id) > kIdCharactersMax) {
            return Bad(fmt::format("instance_ids[{}] must have 1 to {} characters", i, kIdCharactersMax));
        }
        if (seen.insert(id).second) ids.push_back(std::move(id));
    }
    return ids;
}

}  // namespace

tl::expected<json::object, std::string> parse_object(std::string_view body) {
    boost::system::error_code error;
    auto value = json::parse({body.data(), body.size()}, error);
    if (error) return Bad("the body is not valid JSON");
    if (!value.is_object()) return Bad("the body must be a JSON object");
    return std::move(value.get_object());
}

std::size_t characters(std::string_view text) {
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

bool is_allowed_in_command(char c) {
    return is_alnum(c) || c == '_' || c == '.' || c == '/' || c == ':' || c == '-' || c == ' ';
}

tl::expected<CommandBody, std::string> parse_command_body(std::string_view body) {
    const auto object = parse_object(body);
    if (!object) return Bad(object.error());
    auto command = read_command(*object);
    if (!command) return Bad(command.error());
    auto ids = read_ids(*object);
    if (!ids) return Bad(ids.error());
    return CommandBody{std::move(*command), std::move(*ids)};
}

tl::expected<std::vector<std::string>, std::string> parse_ids_body(std::string_view body) {
    const auto object = parse_object(body);
    if (!object) return Bad(object.error());
    return read_ids(*object);
}

}  // namespace drover::http
