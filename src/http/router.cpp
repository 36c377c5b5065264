#include "http/router.hpp"

#include <array>
#include <optional>

namespace drover::http {
namespace {

struct Route {
    std::string_view method;
    std::string_view path;  // "*" takes any one part
    Call call;
};

constexpr std::array kRoutes{
    Route{"POST", "v1/instances/sync-command", Call::sync_command},
    Route{"POST", "v1/instances/async-command", Call::async_command},
    Route{"GET", "v1/instances/tasks/*", Call::task_query},
    Route{"POST", "v1/instances/batch-query-status", Call::batch_status},
    Route{"GET", "drover/v1/tasks", Call::own_tasks},
    Route{"GET", "drover/v1/tasks/*", Call::own_task},
    Route{"POST", "drover/v1/tasks/*/cancel", Call::own_task_cancel},
    Route{"GET", "drover/v1/devices", Call::own_devices},
    Route{"GET", "v3/sources/*/command", Call::source_command},
    Route{"POST", "v3/sources/*/command_result", Call::source_result},
    Route{"POST", "v3/sources/*/commands", Call::source_enqueue},
    Route{"GET", "v3/sources/*/commands", Call::source_commands},
    Route{"GET", "drover/v1/sources", Call::own_sources},
    Route{"POST", "drover/v1/sources", Call::own_source_add},
    Route{"POST", "drover/v1/select", Call::own_select},
    Route{"POST", "drover/v1/probe", Call::own_probe},
    Route{"POST", "drover/v1/status", Call::own_status},
    Route{"POST", "drover/v1/watch", Call::own_watch},
    Route{"GET", "drover/v1/changes", Call::own_changes},
    Route{"POST", "drover/v1/exec", Call::own_exec},
    Route{"POST", "drover/v1/run", Call::own_run},
    Route{"POST", "drover/v1/hold", Call::own_hold},
    Route{"POST", "drover/v1/disable", Call::own_disable},
    Route{"POST", "drover/v1/enable", Call::own_enable},
    Route{"POST", "drover/v1/calls/*/stop", Call::own_call_stop},
    Route{"GET", "healthz", Call::health},
    Route{"GET", "readyz", Call::ready},
    Route{"GET", "metrics", Call::metrics},
};

// The parameters when the path fits the pattern.
std::optional<std::vector<std::string>> match(std::string_view pattern, const std::vector<std::string>& parts) {
    std::vector<std::string> params;
    for (std::size_t i = 0;; ++i) {
        if (i == parts.size()) return std::nullopt;
        const auto slash = pattern.find('/');
        const auto expected = pattern.substr(0, slash);
        if (expected == "*") {
            params.push_back(parts[i]);
        } else if (expected != parts[i]) {
            return std::nullopt;
        }
        if (slash == std::string_view::npos)
            return i + 1 == parts.size() ? std::optional(std::move(params)) : std::nullopt;
        pattern.remove_prefix(slash + 1);
    }
}

}  // namespace

std::string_view to_string(Call call) {
    static constexpr auto kNames = std::to_array<std::string_view>({"sync-command",
                                                                    "async-command",
                                                                    "task-query",
                                                                    "batch-query-status",
                                                                    "tasks",
                                                                    "task",
                                                                    "task-cancel",
                                                                    "devices",
                                                                    "source-command",
                                                                    "source-command-result",
                                                                    "source-enqueue",
                                                                    "source-commands",
                                                                    "sources",
                                                                    "source-add",
                                                                    "select",
                                                                    "probe",
                                                                    "status",
                                                                    "watch",
                                                                    "changes",
                                                                    "exec",
                                                                    "run",
                                                                    "hold",
                                                                    "disable",
                                                                    "enable",
                                                                    "call-stop",
                                                                    "healthz",
                                                                    "readyz",
                                                                    "metrics",
                                                                    "none"});
    static_assert(kNames.size() == kCalls);
    return kNames[static_cast<std::size_t>(call)];
}

Routed route(std::string_view method, const std::vector<std::string>& path_parts) {
    Routed routed;
    for (const auto& r : kRoutes) {
        auto params = match(r.path, path_parts);
        if (!params) continue;
        if (r.method == method) return {r.call, std::move(*params), {}};
        routed.allow += routed.allow.empty() ? std::string(r.method) : ", " + std::string(r.method);
    }
    return routed;
}

bool needs_no_auth(Call call) { return call == Call::health || call == Call::ready; }

bool needs_request_id(Call call) {
    return call == Call::sync_command || call == Call::async_command || call == Call::task_query ||
           call == Call::batch_status;
}

}  // namespace drover::http
