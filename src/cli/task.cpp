// drover task: asynchronous tasks of a running `drover serve`.
#include <fmt/format.h>

#include <chrono>
#include <thread>

#include "cli/json_choice.hpp"
#include "cli/server_client.hpp"
#include "cli/server_data.hpp"
#include "cli/terminal.hpp"
#include "report/printable.hpp"
#include "report/summary.hpp"

namespace drover::cli {
namespace {

namespace json = boost::json;

struct TaskOptions {
    std::string action, id;
    std::optional<std::chrono::milliseconds> timeout;
};

std::string text(const json::object& o, std::string_view key) {
    const auto* value = o.if_contains({key.data(), key.size()});
    if (!value || !value->is_string()) return "-";
    return report::printable(std::string(value->get_string().c_str()), report::Layout::escape);
}

std::int64_t number(const json::object& o, std::string_view key) {
    const auto* value = o.if_contains({key.data(), key.size()});
    return value && value->is_number() ? value->to_number<std::int64_t>() : 0;
}

std::string state_of(const json::object& task) {
    const bool ended = task.contains("ended") && task.at("ended").is_string();
    const bool cancelled =
        task.contains("cancelled") && task.at("cancelled").is_bool() && task.at("cancelled").get_bool();
    return ended ? (cancelled ? "cancelled" : "ended") : "open";
}

std::string list_text(const json::object& data) {
    std::string out;
    for (const auto& value : list_in(data, "tasks")) {
        const auto& t = value.as_object();
        out += fmt::format("{}  {}  {:9}  {} ok, {} failed, {} running, {} queued  {}  {}\n", text(t, "task_id"),
                           text(t, "created"), state_of(t), number(t, "ok"), number(t, "failed"), number(t, "running"),
                           number(t, "queued"), text(t, "tenant"), text(t, "command"));
    }
    return out;
}

std::string outcome_of(const json::object& job) {
    const auto status = number(job, "status");
    if (status == -1) return text(job, "error_code") + " " + text(job, "error_msg");
    return status == 2 ? "ok" : text(job, "state");
}

std::string show_text(const json::object& data) {
    auto out = fmt::format("task {}: {} ({}, created {})\n", text(data, "task_id"), text(data, "command"),
                           state_of(data), text(data, "created"));
    for (const auto& value : list_in(data, "jobs")) {
        const auto& job = value.as_object();
        out += fmt::format("{}: {}\n", text(job, "instance_id"), outcome_of(job));
        const auto* said = job.if_contains("execute_msg");
        if (said && said->is_string() && !said->get_string().empty()) {
            out += report::printable(std::string(said->get_string().c_str()), report::Layout::keep);
            if (!out.ends_with('\n')) out += '\n';
        }
    }
    return out;
}

std::string cancelled_text(const json::object& data) {
    const auto* ended = data.if_contains("ended");
    const bool too_late = ended && ended->is_bool() && ended->get_bool();
    return fmt::format("task {} {}\n", text(data, "task_id"), too_late ? "has ended already" : "is being cancelled");
}

// The same exit codes as of a call from the command line.
int exit_code_of(const json::object& data) {
    report::Tally tally;
    for (const auto& value : list_in(data, "jobs")) {
        const auto name = text(value.as_object(), "error_code");
        Row row;
        for (const auto& entry : all_codes()) {
            if (entry.name == name && !name.empty()) row.code = entry.code;
        }
        tally.add(row);
    }
    return tally.exit_code({});
}

int wait_for_task(const Context& context, const ServerClient& client, const TaskOptions& o) {
    // Asking is cheap for the server; a task of minutes is asked for once a second.
    constexpr std::chrono::milliseconds kFirst{100}, kMost{1'000};
    const auto begin = std::chrono::steady_clock::now();
    for (auto pause = kFirst;; pause = std::min(kMost, pause * 2)) {
        const auto data = client.get("/drover/v1/tasks/" + o.id);
        if (!data) return report_error(data.error());
        if (state_of(*data) != "open") {
            const int printed = print_result(context, show_text(*data), *data);
            return printed != 0 ? printed : exit_code_of(*data);
        }
        if (o.timeout && std::chrono::steady_clock::now() - begin >= *o.timeout) {
            return report_error(Error(Code::call_deadline, "the task has not ended within the timeout; it goes on"));
        }
        std::this_thread::sleep_for(pause);
    }
}

int run_task_command(const Context& context, const TaskOptions& o) {
    ignore_sigpipe();
    constexpr std::string_view kActions[] = {"list", "show", "cancel", "wait"};
    if (std::find(std::begin(kActions), std::end(kActions), o.action) == std::end(kActions)) {
        return report_error(
            Error(Code::usage, fmt::format("task: '{}' is none of list, show ID, cancel ID, wait ID", o.action)));
    }
    if (o.action == "list" ? !o.id.empty()
                           : (o.id.size() != 32 || o.id.find_first_not_of("0123456789abcdef") != std::string::npos)) {
        return report_error(Error(
            Code::usage,
            fmt::format("task {}: {}", o.action, o.action == "list" ? "takes no ID" : "an ID has 32 hex digits")));
    }
    const auto client = ServerClient::find(context);
    if (!client) return report_error(client.error());
    if (o.action == "wait") return wait_for_task(context, *client, o);
    const auto data = o.action == "cancel" ? client->post("/drover/v1/tasks/" + o.id + "/cancel")
                      : o.action == "show" ? client->get("/drover/v1/tasks/" + o.id)
                                           : client->get("/drover/v1/tasks");
    if (!data) return report_error(data.error());
    if (o.action == "list") return print_result(context, list_text(*data), *data);
    return print_result(context, o.action == "show" ? show_text(*data) : cancelled_text(*data), *data);
}

}  // namespace

void add_task(Program& program, Context& context) {
    auto o = std::make_shared<TaskOptions>();
    auto& command = program.add("task", "Asynchronous tasks of a running `drover serve`: list, show, cancel, wait");
    command.takes_server();
    command.takes_config();
    command.positional("ACTION", o->action, "list, show, cancel or wait", Need::required);
    command.positional("ID", o->id, "of the task; not for list", Need::optional);
    command.duration("--timeout", o->timeout, "wait: how long (no limit)");
    command.action([o, &context] { return run_task_command(context, *o); });
}

}  // namespace drover::cli
