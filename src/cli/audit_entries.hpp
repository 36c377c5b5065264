// What the audit log says of work that no request waits for: the end of an asynchronous task, and of a controller's command.
// Any thread; pure.
#pragma once
#include "agent/command.hpp"
#include "http/agent_config.hpp"
#include "http/audit.hpp"
#include "store/task_store.hpp"

namespace drover::cli {

// Which phones it was, the line of its beginning says.
http::AuditEntry audit_of(const store::TaskRecord& task, std::size_t ok, std::size_t failed);
// instances: the phones it was tried on.
http::AuditEntry audit_of(const http::AgentConfig& config, const agent::Key& key, const agent::Outcome& outcome,
                          const std::vector<std::string>& instances);

}  // namespace drover::cli
