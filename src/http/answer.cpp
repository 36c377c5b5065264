#include "http/answer.hpp"

#include <fmt/format.h>

#include <boost/json/serialize.hpp>
#include <ctime>

#include "base/duration.hpp"
#include "base/json_view.hpp"

namespace drover::http {
namespace {

namespace json = boost::json;

void put_failure(json::object& item, Code code, std::uint32_t attempts, std::string_view message) {
    const auto& shown = info(attempts == 0 ? Code::phone_not_found : Code::command_failed);
    item["error_code"] = json_view(shown.name);
    item["error_msg"] = json_view(shown.text);
    item["drover_code"] = json_view(info(code).name);
    item["drover_msg"] = json_view(message);
}

void put_output(json::object& item, std::string_view text, const std::optional<int>& exit_code, std::uint64_t bytes,
                bool truncated) {
    item["execute_msg"] = json_view(text);
    item["exit_code"] = exit_code ? json::value(*exit_code) : json::value(nullptr);
    item["output_bytes"] = bytes;
    item["truncated"] = truncated;
}

}  // namespace

net::Response json_response(int status, const json::object& body) {
    net::Response response;
    response.status = status;
    response.headers.push_back({"Content-Type", "application/json"});
    response.body = json::serialize(body);
    return response;
}

net::Response ok_response(json::object data) {
    json::object body;
    body["error_code"] = "0";
    body["error_msg"] = "ok";
    body["data"] = std::move(data);
    return json_response(200, body);
}

net::Response error_response(int status, std::string_view code, std::string_view message, std::string_view request_id) {
    json::object body;
    body["error_code"] = json_view(code);
    body["error_msg"] = json_view(message);
    body["error_info"] = json_view(message);
    body["request_id"] = json_view(request_id);
    return json_response(status, body);
}

json::object row_item(const Row& row) {
    json::object item;
    item["instance_id"] = json_view(row.instance_id);
    item["status"] = row.status();
    item["error_code"] = "";
    item["error_msg"] = "";
    put_output(item, row.execute_msg, row.exit_code, row.output_bytes, row.truncated);
    if (!row.ok()) put_failure(item, row.code, row.attempts, row.error_msg);
    return item;
}

json::object job_item(const store::JobRecord& job) {
    constexpr int kRunning = 1, kSuccessful = 2, kFailed = -1;
    const bool ended = job.state == store::JobState::ended;
    const bool ok = job.result.code == Code::ok;
    json::object item;
    item["job_id"] = json_view(job.job_id);
    item["instance_id"] = json_view(job.instance_id);
    item["status"] = !ended ? kRunning : ok ? kSuccessful : kFailed;
    item["error_code"] = "";
    item["error_msg"] = "";
    put_output(item, job.result.execute_msg, job.result.exit_code, job.result.output_bytes, job.result.truncated);
    if (ended && !ok) put_failure(item, job.result.code, job.result.attempts, job.result.error_msg);
    return item;
}

json::object status_item(std::string_view id, const PhoneStatus& status, StatusAxis axis) {
    json::object item;
    item["instance_id"] = json_view(id);
    item["status"] = axis == StatusAxis::lifecycle ? status.status : status.activity;
    item["lifecycle"] = status.status;
    item["activity"] = status.activity;
    item["adb_state"] = status.adb_state;
    item["condition"] = json_view(status.condition);
    item["why"] = json_view(status.why);
    item["since"] = utc_text(status.since);
    return item;
}

std::string utc_text(std::chrono::system_clock::time_point when) {
    const auto seconds = std::chrono::system_clock::to_time_t(when);
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday,
                       parts.tm_hour, parts.tm_min, parts.tm_sec);
}

json::value utc_value(std::optional<std::int64_t> ms) {
    return ms ? json::value(utc_text(std::chrono::system_clock::time_point(Millis(*ms)))) : json::value(nullptr);
}

}  // namespace drover::http
