#include "cli/audit_entries.hpp"

#include <fmt/format.h>

namespace drover::cli {

http::AuditEntry audit_of(const store::TaskRecord& task, std::size_t ok, std::size_t failed) {
    http::AuditEntry entry;
    entry.tenant = task.tenant;
    entry.call = "task_end";
    entry.command = task.command;
    entry.outcome = fmt::format("task {}: {} ok, {} failed", task.task_id, ok, failed);
    return entry;
}

http::AuditEntry audit_of(const http::AgentConfig& config, const agent::Key& key, const agent::Outcome& outcome,
                          const std::vector<std::string>& instances) {
    http::AuditEntry entry;
    entry.tenant = "agent";
    entry.peer = config.controller;
    entry.call = "agent_command_end";
    entry.command = to_string(key);
    entry.instances = instances;
    entry.outcome = fmt::format("{}: {}", outcome.ok ? "success" : "fail", outcome.msg);
    return entry;
}

}  // namespace drover::cli
