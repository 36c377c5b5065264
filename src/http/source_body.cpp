#include "http/source_body.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/serialize.hpp>

#include "http/body.hpp"
#include "http/credentials.hpp"

namespace drover::http {
namespace {

namespace json = boost::json;
using Bad = tl::unexpected<std::string>;
using Text = tl::expected<std::optional<std::string>, std::string>;

// Names that mean "no command" to an agent, so that it would never report them.
constexpr std::array<std::string_view, 3> kIdleNames{"TASK_NOT_STARTED", "TASK_HAS_STOPPED", "TASK_HAS_FINISHED"};

// A key that may be absent or null.
Text optional_text(const json::object& object, std::string_view key, std::string_view path) {
    const auto* value = object.if_contains({key.data(), key.size()});
    if (!value || value->is_null()) return std::nullopt;
    if (!value->is_string()) return Bad(fmt::format("{} must be a string", path));
    std::string text(value->get_string().data(), value->get_string().size());
    if (characters(text) > kSourceTextMax)
        return Bad(fmt::format("{} has more than {} characters", path, kSourceTextMax));
    return text;
}

tl::expected<std::string, std::string> needed_text(const json::object& object, std::string_view key) {
    auto text = optional_text(object, key, key);
    if (!text) return Bad(text.error());
    if (!*text) return Bad(fmt::format("{} is missing", key));
    if ((*text)->empty()) return Bad(fmt::format("{} is empty", key));
    return std::move(**text);
}

}  // namespace

bool valid_server_id(std::string_view id) { return !id.empty() && characters(id) <= kSourceTextMax; }

tl::expected<store::SourceResult, std::string> parse_result_body(std::string_view body) {
    const auto object = parse_object(body);
    if (!object) return Bad(object.error());
    store::SourceResult result;
    auto name = needed_text(*object, "command_name");
    if (!name) return Bad(name.error());
    result.name = std::move(*name);
    const auto* outcome = object->if_contains("result");
    if (!outcome || !outcome->is_string() || (outcome->get_string() != "success" && outcome->get_string() != "fail"))
        return Bad("result must be success or fail");
    result.result = outcome->get_string().c_str();
    const auto* detail = object->if_contains("result_detail");
    if (!detail || !detail->is_object()) return Bad("result_detail must be an object");
    auto task = optional_text(detail->get_object(), "task_id", "result_detail.task_id");
    if (!task) return Bad(task.error());
    result.task_id = std::move(*task);
    result.detail = json::serialize(*detail);
    result.bytes = body;
    return result;
}

tl::expected<store::SourceCommand, std::string> parse_source_command_body(std::string_view body) {
    const auto object = parse_object(body);
    if (!object) return Bad(object.error());
    store::SourceCommand command;
    auto name = needed_text(*object, "command_name");
    if (!name) return Bad(name.error());
    if (std::find(kIdleNames.begin(), kIdleNames.end(), *name) != kIdleNames.end())
        return Bad(fmt::format("command_name {} means no command to an agent", *name));
    command.name = std::move(*name);
    const auto* param = object->if_contains("command_param");
    if (!param || param->is_null()) return command;
    if (!param->is_object()) return Bad("command_param must be an object");
    auto task = optional_text(param->get_object(), "task_id", "command_param.task_id");
    if (!task) return Bad(task.error());
    auto bucket = optional_text(param->get_object(), "bucket", "command_param.bucket");
    if (!bucket) return Bad(bucket.error());
    command.task_id = std::move(*task);
    command.bucket = std::move(*bucket);
    return command;
}

tl::expected<store::Source, std::string> parse_source_body(std::string_view body) {
    const auto object = parse_object(body);
    if (!object) return Bad(object.error());
    store::Source source;
    auto id = needed_text(*object, "server_id");
    if (!id) return Bad(id.error());
    if (std::any_of(id->begin(), id->end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }))
        return Bad("server_id has a control character");
    source.server_id = std::move(*id);
    auto tenant = optional_text(*object, "tenant", "tenant");
    if (!tenant) return Bad(tenant.error());
    if (*tenant && !valid_tenant(**tenant)) return Bad("tenant has letters, digits, '.', '_' and '-', at most 64");
    source.tenant = tenant->value_or("");
    return source;
}

}  // namespace drover::http
