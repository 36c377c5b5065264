// The documented API's envelopes and items as JSON. Pure; any thread.
#pragma once
#include <boost/json/object.hpp>
#include <string>
#include <string_view>

#include "drover/fleet.hpp"
#include "drover/row.hpp"
#include "net/http_message.hpp"
#include "store/task_store.hpp"

namespace drover::http {

// Error codes of requests. Always upper case.
constexpr std::string_view kBadRequest = "KOOPHONE.API.1000";
constexpr std::string_view kNoPermission = "KOOPHONE.API.1001";
constexpr std::string_view kNoCommand = "SMS.2009";  // a result without a delivered command
constexpr std::string_view kBadResult = "SMS.6022";
constexpr std::string_view kInternal = "KOOPHONE.API.9999";
constexpr std::string_view kNoSuchApi = "APIGW.0101";
constexpr std::string_view kBadAuth = "APIGW.0301";

net::Response json_response(int status, const boost::json::object& body);
// {"error_code":"0","error_msg":"ok","data":...}
net::Response ok_response(boost::json::object data);
// Both error_msg and error_info, same text.
net::Response error_response(int status, std::string_view code, std::string_view message, std::string_view request_id);

// Per-item codes of the documented API: CPS.0005 when the command was never opened on the phone, else CPS.0191. The exact code
// stands in drover_code.
boost::json::object row_item(const Row& row);
boost::json::object job_item(const store::JobRecord& job);

enum class StatusAxis : std::uint8_t { lifecycle, activity };
boost::json::object status_item(std::string_view id, const PhoneStatus& status, StatusAxis axis);

std::string utc_text(std::chrono::system_clock::time_point when);  // 2024-01-01T00:00:00Z
// The same of milliseconds since 1970; null when there is none.
boost::json::value utc_value(std::optional<std::int64_t> ms);

}  // namespace drover::http
