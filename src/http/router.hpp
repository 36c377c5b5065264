// Which call a request is for. Pure; any thread.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace drover::http {

enum class Call : std::uint8_t {
    sync_command,
    async_command,
    task_query,
    batch_status,
    own_tasks,
    own_task,
    own_task_cancel,
    own_devices,
    source_command,
    source_result,
    source_enqueue,
    source_commands,
    own_sources,
    own_source_add,
    own_select,
    own_probe,
    own_status,
    own_watch,
    own_changes,
    own_exec,
    own_run,
    own_hold,
    own_disable,
    own_enable,
    own_call_stop,
    health,
    ready,
    metrics,
    none,  // no such path, or not with this method
};
constexpr std::size_t kCalls = static_cast<std::size_t>(Call::none) + 1;
std::string_view to_string(Call call);  // for metrics and logs

struct Routed {
    Call call = Call::none;
    std::vector<std::string> params;  // of the path, decoded
    std::string allow;                // none, but the path exists: the methods it takes
};

Routed route(std::string_view method, const std::vector<std::string>& path_parts);

// Open to everybody who reaches the port: they tell nothing of phones or commands.
bool needs_no_auth(Call call);
// Documented calls whose clients must name their requests.
bool needs_request_id(Call call);

}  // namespace drover::http
