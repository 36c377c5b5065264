#include "agent/command.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "base/utf8.hpp"
#include "http/answer.hpp"
#include "http/body.hpp"

namespace drover::agent {
namespace {

namespace json = boost::json;
using Bad = tl::unexpected<std::string>;
using Parsed = tl::expected<std::optional<Command>, std::string>;

constexpr std::array<std::string_view, 3> kIdleNames{"TASK_NOT_STARTED", "TASK_HAS_STOPPED", "TASK_HAS_FINISHED"};
constexpr std::size_t kMessageBytesMax = 1024, kFailureMessageBytesMax = 256;

// Absent and null are the empty text.
tl::expected<std::string, std::string> text_of(const json::object& object, std::string_view key) {
    const auto* value = object.if_contains({key.data(), key.size()});
    if (!value || value->is_null()) return std::string();
    if (!value->is_string()) return Bad(fmt::format("{} is no string", key));
    std::string text(value->get_string().data(), value->get_string().size());
    if (http::characters(text) > kTextCharactersMax)
        return Bad(fmt::format("{} has more than {} characters", key, kTextCharactersMax));
    return text;
}

std::string cut(std::string_view text, std::size_t bytes_max) {
    const auto clean = sanitize_utf8(text);
    return clean.substr(0, utf8_floor(clean, bytes_max));
}

json::value time_value(std::int64_t ms) {
    if (ms == 0) return nullptr;
    return json::value(http::utc_text(std::chrono::system_clock::time_point(std::chrono::milliseconds(ms))));
}

std::string serialized(const Key& key, const Outcome& outcome, std::size_t message_bytes, std::size_t failures) {
    json::object detail;
    detail["msg"] = cut(outcome.msg, message_bytes);
    detail["task_id"] = key.task_id;
    detail["started_at"] = time_value(outcome.started_ms);
    detail["finished_at"] = time_value(outcome.finished_ms);
    if (outcome.instances) {
        json::object counts;
        counts["total"] = outcome.instances->total;
        counts["ok"] = outcome.instances->ok;
        counts["failed"] = outcome.instances->failed;
        detail["instances"] = std::move(counts);
    }
    if (failures > 0) {
        json::array list;
        for (std::size_t i = 0; i < failures; ++i) {
            json::object item;
            item["instance_id"] = outcome.failures[i].instance_id;
            item["error_code"] = outcome.failures[i].error_code;
            item["error_msg"] = cut(outcome.failures[i].error_msg, kFailureMessageBytesMax);
            list.push_back(std::move(item));
        }
        detail["first_failures"] = std::move(list);
    }
    json::object body;
    body["command_name"] = key.name;
    body["result"] = outcome.ok ? "success" : "fail";
    body["result_detail"] = std::move(detail);
    return json::serialize(body);
}

}  // namespace

std::string to_string(const Key& key) {
    return key.task_id.empty() ? key.name : fmt::format("{} of task {}", key.name, key.task_id);
}

bool is_long(std::string_view name) { return name == "START" || name == "SYNC"; }
bool ends_others(std::string_view name) { return name == "STOP" || name == "DELETE"; }

Parsed parse_command(std::string_view body) {
    if (body.find_first_not_of(" \t\r\n") == std::string_view::npos) return std::nullopt;
    boost::system::error_code error;
    const auto value = json::parse({body.data(), body.size()}, error);
    if (error) return Bad("the answer is not valid JSON");
    if (value.is_null()) return std::nullopt;
    if (!value.is_object()) return Bad("the answer is no JSON object");
    const auto& object = value.get_object();
    auto name = text_of(object, "command_name");
    if (!name) return Bad(name.error());
    if (name->empty() || std::find(kIdleNames.begin(), kIdleNames.end(), *name) != kIdleNames.end())
        return std::nullopt;
    Command command;
    command.key.name = std::move(*name);
    const auto* param = object.if_contains("command_param");
    if (!param || param->is_null()) return command;
    if (!param->is_object()) return Bad("command_param is no object");
    auto task = text_of(param->get_object(), "task_id");
    if (!task) return Bad(task.error());
    auto bucket = text_of(param->get_object(), "bucket");
    if (!bucket) return Bad(bucket.error());
    command.key.task_id = std::move(*task);
    command.bucket = std::move(*bucket);
    return command;
}

std::string build_report(const Key& key, const Outcome& outcome) {
    auto failures = std::min(outcome.failures.size(), kFailuresTold);
    auto message_bytes = kMessageBytesMax;
    auto report = serialized(key, outcome, message_bytes, failures);
    while (report.size() > kReportBytesMax) {
        if (failures > 0) {
            --failures;
        } else {
            message_bytes /= 2;  // ends: name and task_id alone always fit
        }
        report = serialized(key, outcome, message_bytes, failures);
    }
    return report;
}

}  // namespace drover::agent
