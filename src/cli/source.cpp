// drover source: the agents that a running `drover serve` drives, the commands that wait for them, and their results.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json/serialize.hpp>

#include "cli/json_choice.hpp"
#include "cli/server_client.hpp"
#include "cli/server_data.hpp"
#include "cli/terminal.hpp"
#include "http/source_body.hpp"
#include "http/uri.hpp"
#include "report/printable.hpp"

namespace drover::cli {
namespace {

namespace json = boost::json;

// Of drover's own agent, and what it refuses them without.
struct SourceCommand {
    std::string_view name;
    bool wants_task, wants_bucket;
};
constexpr SourceCommand kCommands[] = {{"START", true, false},     {"STOP", true, false},
                                       {"DELETE", true, false},    {"SYNC", true, false},
                                       {"UPLOAD_LOG", true, true}, {"RSET_LOG_ACL", false, true}};
constexpr std::string_view kCommandNames = "START, STOP, DELETE, SYNC, UPLOAD_LOG, RSET_LOG_ACL";

struct SourceOptions {
    std::string action, id, name;
    std::optional<std::string> tenant, task, bucket;
};

// As a person may see it; objects as JSON.
std::string shown(const json::object& o, std::string_view key) {
    const auto* value = o.if_contains({key.data(), key.size()});
    if (!value || value->is_null()) return "-";
    const std::string text = value->is_string() ? std::string(value->get_string().c_str()) : json::serialize(*value);
    return text.empty() ? "-" : report::printable(text, report::Layout::escape);
}

std::string sources_text(const json::object& data) {
    std::string out;
    for (const auto& value : list_in(data, "sources")) {
        const auto& s = value.as_object();
        out += fmt::format("{}  {} waiting, {} delivered  last seen {}  {}\n", shown(s, "server_id"),
                           shown(s, "waiting"), shown(s, "delivered"), shown(s, "polled"), shown(s, "tenant"));
    }
    return out;
}

std::string results_text(const json::object& data) {
    std::string out;
    for (const auto& value : list_in(data, "commands")) {
        const auto& c = value.as_object();
        const auto& param = c.at("command_param").as_object();
        out += fmt::format("{}  {:12}  {}  {:9}  {}", shown(c, "number"), shown(c, "command_name"),
                           shown(param, "task_id"), shown(c, "state"), shown(c, "created"));
        if (c.contains("result")) out += fmt::format("  {}  {}", shown(c, "result"), shown(c, "result_detail"));
        out += '\n';
    }
    return out;
}

int print_answer(const Context& context, const Result<json::object>& data, std::string (*text)(const json::object&)) {
    if (!data) return report_error(data.error());
    return print_result(context, text(*data), *data);
}

std::string added_text(const json::object& data) {
    return fmt::format("source {} is known now\n", shown(data, "server_id"));
}

std::string sent_text(const json::object& data) {
    const bool merged = data.contains("merged") && data.at("merged").is_bool() && data.at("merged").get_bool();
    return fmt::format("command {} waits{}\n", shown(data, "number"), merged ? " already: it is the same one" : "");
}

// An open set: a controller may have agents of another make.
Result<void> check_command(const SourceOptions& o) {
    const auto* known = std::find_if(std::begin(kCommands), std::end(kCommands),
                                     [&](const SourceCommand& c) { return c.name == o.name; });
    if (known == std::end(kCommands)) {
        say(fmt::format("drover: {} is none of {}; an agent that does not know it says so in its result", o.name,
                        kCommandNames));
        return {};
    }
    if (known->wants_task && o.task.value_or("").empty())
        return fail(Code::usage, fmt::format("source send: {} of which --task?", o.name));
    if (known->wants_bucket && o.bucket.value_or("").empty())
        return fail(Code::usage, fmt::format("source send: {} of which --bucket?", o.name));
    return {};
}

int send(const Context& context, const ServerClient& client, const std::string& path, const SourceOptions& o) {
    json::object param;
    if (o.task) param["task_id"] = *o.task;
    if (o.bucket) param["bucket"] = *o.bucket;
    json::object body;
    body["command_name"] = o.name;
    body["command_param"] = std::move(param);
    return print_answer(context, client.post(path + "/commands", json::serialize(body)), sent_text);
}

int run_source_command(const Context& context, const SourceOptions& o) {
    ignore_sigpipe();
    const bool sends = o.action == "send", lists = o.action == "list";
    if (!sends && !lists && o.action != "add" && o.action != "results") {
        return report_error(Error(
            Code::usage, fmt::format("source: '{}' is none of add ID, list, send ID COMMAND, results ID", o.action)));
    }
    if (lists ? !o.id.empty() : !http::valid_server_id(o.id)) {
        return report_error(Error(Code::usage, fmt::format("source {}: {}", o.action,
                                                           lists ? "takes no ID" : "an ID has 1 to 255 characters")));
    }
    if (sends == o.name.empty()) {
        return report_error(
            Error(Code::usage,
                  fmt::format("source {}: {}", o.action,
                              sends ? fmt::format("which COMMAND? One of {}", kCommandNames) : "takes no COMMAND")));
    }
    if (sends) {
        if (const auto good = check_command(o); !good) return report_error(good.error());
    }
    const auto client = ServerClient::find(context);
    if (!client) return report_error(client.error());
    const auto path = "/v3/sources/" + http::percent_encode(o.id);
    if (lists) return print_answer(context, client->get("/drover/v1/sources"), sources_text);
    if (sends) return send(context, *client, path, o);
    if (o.action == "results") return print_answer(context, client->get(path + "/commands"), results_text);
    json::object body;
    body["server_id"] = o.id;
    if (o.tenant) body["tenant"] = *o.tenant;
    return print_answer(context, client->post("/drover/v1/sources", json::serialize(body)), added_text);
}

}  // namespace

void add_source(Program& program, Context& context) {
    auto o = std::make_shared<SourceOptions>();
    auto& command =
        program.add("source", "Agents that a running `drover serve` drives: add, list, send commands, results");
    command.takes_server();
    command.takes_config();
    command.positional("ACTION", o->action, "add, list, send or results", Need::required);
    command.positional("ID", o->id, "the agent's server_id; not for list", Need::optional);
    command.positional("COMMAND", o->name, "send: START, STOP, DELETE, SYNC, UPLOAD_LOG, RSET_LOG_ACL", Need::optional);
    command.text("--tenant", "NAME", o->tenant, "add: who may use it (through the socket: all with `instances: all`)");
    command.text("--task", "ID", o->task, "send: the task");
    command.text("--bucket", "NAME", o->bucket, "send: the bucket, for logs");
    command.action([o, &context] { return run_source_command(context, *o); });
}

}  // namespace drover::cli
