#include "http/call_request.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "base/id_ranges.hpp"
#include "base/json_view.hpp"
#include "base/nearest.hpp"
#include "base/utf8.hpp"
#include "fleet/marks.hpp"

namespace drover::http {
namespace {

namespace json = boost::json;

constexpr std::array<std::string_view, 20> kCallKeys{"job",
                                                     "file",
                                                     "on",
                                                     "instance_ids",
                                                     "command",
                                                     "timeout_ms",
                                                     "connect_timeout_ms",
                                                     "first_byte_timeout_ms",
                                                     "silence_timeout_ms",
                                                     "deadline_ms",
                                                     "max_parallel",
                                                     "max_output_bytes",
                                                     "output",
                                                     "history",
                                                     "hold",
                                                     "shared",
                                                     "count",
                                                     "wait_ms",
                                                     "reason",
                                                     "client_notifies"};

class CallReader {
public:
    CallReader(const json::object& object, CallRequest& to) : object_(object), to_(to) {}

    std::string read() {
        for (const auto& member : object_) {
            const std::string_view key(member.key().data(), member.key().size());
            if (std::find(kCallKeys.begin(), kCallKeys.end(), key) == kCallKeys.end())
                complain("there is no key '{}'{}", key.substr(0, 64), did_you_mean(key.substr(0, 64), kCallKeys));
        }
        if (object_.contains("on")) to_.on.emplace(), text("on", *to_.on, kLineBytesMax);
        ids();
        if (to_.on && object_.contains("instance_ids")) complain("give on or instance_ids, not both");
        if (!to_.on && !object_.contains("instance_ids")) complain("which phones? give on or instance_ids");
        text("command", to_.command, kLineBytesMax);
        text("job", to_.job, kLineBytesMax);
        text("file", to_.file, kFileNameBytesMax);
        duration("timeout_ms", to_.timeout, kLimitMax);
        duration("deadline_ms", to_.deadline, kLimitMax);
        duration("first_byte_timeout_ms", to_.limits.first_byte, kLimitMax);
        duration("silence_timeout_ms", to_.limits.silence, kLimitMax);
        std::optional<Millis> connect;
        duration("connect_timeout_ms", connect, kLimitMax);
        to_.limits.connect = connect.value_or(to_.limits.connect);
        number("max_parallel", to_.max_parallel, 1'000'000);
        number("max_output_bytes", to_.limits.max_output_bytes, kRowBytesMax);
        flag("output", to_.output);
        flag("history", to_.history);
        flag("shared", to_.shared);
        flag("client_notifies", to_.client_notifies);
        text("hold", to_.hold, kHoldBytesMax);
        text("reason", to_.reason, fleet::kReasonBytesMax);
        number("count", to_.count, kCallIdsMax);
        std::optional<Millis> wait;
        duration("wait_ms", wait, kHoldWaitMax);
        to_.wait = wait.value_or(to_.wait);
        return error_;
    }

private:
    template <class... A>
    void complain(fmt::format_string<A...> f, A&&... a) {
        if (error_.empty()) error_ = fmt::format(f, std::forward<A>(a)...);
    }
    const json::value* find(std::string_view key) const { return object_.if_contains({key.data(), key.size()}); }

    void text(std::string_view key, std::string& to, std::size_t most) {
        const auto* v = find(key);
        if (!v) return;
        if (!v->is_string() || v->get_string().size() > most)
            return complain("{} must be a string of at most {} bytes", key, most);
        to.assign(v->get_string().data(), v->get_string().size());
        if (to.find('\0') != std::string::npos) complain("{} has a NUL byte", key);
    }
    void ids() {
        const auto* v = find("instance_ids");
        if (!v) return;
        if (!v->is_array() || v->get_array().empty() || v->get_array().size() > kCallIdsMax)
            return complain("instance_ids must be a list of 1 to {} ids", kCallIdsMax);
        for (const auto& id : v->get_array()) {
            const std::string_view name =
                id.is_string() ? std::string_view(id.get_string().data(), id.get_string().size()) : std::string_view();
            if (!valid_instance_id(name)) return complain("instance_ids must be a list of ids");
            to_.instance_ids.emplace_back(name);
        }
    }
    template <class T>
    void number(std::string_view key, T& to, std::uint64_t most) {
        const auto* v = find(key);
        if (!v) return;
        boost::system::error_code error;
        const auto n = v->is_number() ? v->to_number<std::uint64_t>(error) : most + 1;
        if (error || n > most) return complain("{} must be a whole number from 0 to {}", key, most);
        to = static_cast<T>(n);
    }
    void duration(std::string_view key, std::optional<Millis>& to, Millis most) {
        if (!find(key)) return;
        std::int64_t ms = 0;
        number(key, ms, static_cast<std::uint64_t>(most.count()));
        to = Millis(ms);
    }
    void flag(std::string_view key, bool& to) {
        const auto* v = find(key);
        if (!v) return;
        if (!v->is_bool()) return complain("{} must be true or false", key);
        to = v->get_bool();
    }

    const json::object& object_;
    CallRequest& to_;
    std::string error_;
};

}  // namespace

Result<CallRequest> read_call_request(std::string_view body) {
    boost::system::error_code error;
    const auto value = json::parse({body.data(), body.size()}, error);
    if (error) return fail(Code::usage, "the body is not valid JSON");
    if (!value.is_object()) return fail(Code::usage, "the body must be a JSON object");
    CallRequest request;
    if (auto wrong = CallReader(value.get_object(), request).read(); !wrong.empty())
        return fail(Code::usage, std::move(wrong));
    return request;
}

std::string to_json(const CallRequest& request) {
    json::object o;
    const auto put = [&](std::string_view key, const std::optional<Millis>& d) {
        if (d) o[json_view(key)] = d->count();
    };
    if (request.on) {
        o["on"] = *request.on;
    } else {
        json::array ids;
        for (const auto& id : request.instance_ids) ids.emplace_back(id);
        o["instance_ids"] = std::move(ids);
    }
    if (!request.command.empty()) o["command"] = request.command;
    if (!request.job.empty()) o["job"] = request.job;
    if (!request.file.empty()) o["file"] = request.file;
    put("timeout_ms", request.timeout);
    put("deadline_ms", request.deadline);
    put("connect_timeout_ms", request.limits.connect);
    put("first_byte_timeout_ms", request.limits.first_byte);
    put("silence_timeout_ms", request.limits.silence);
    o["max_parallel"] = request.max_parallel;
    o["max_output_bytes"] = request.limits.max_output_bytes;
    o["output"] = request.output;
    o["history"] = request.history;
    if (request.shared) o["shared"] = true;
    if (request.client_notifies) o["client_notifies"] = true;
    if (!request.hold.empty()) o["hold"] = request.hold;
    if (!request.reason.empty()) o["reason"] = request.reason;
    if (request.count > 0) o["count"] = request.count;
    if (request.wait > Millis(0)) o["wait_ms"] = request.wait.count();
    return json::serialize(o);
}

}  // namespace drover::http
