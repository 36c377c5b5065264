// The SQL of the task store: each function is one change or one question, inside the caller's transaction.
// Threads and failure: as Database. The result of a job keeps its code by its published name, which never changes meaning.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/sqlite.hpp"
#include "store/task_store.hpp"

namespace drover::store {

Result<void> insert_task(Database& db, const TaskRecord& task);
Result<void> update_running(Database& db, std::string_view task_id, const std::vector<std::size_t>& positions,
                            std::int64_t now_ms);
Result<void> update_ended(Database& db, std::string_view task_id, std::size_t position, const JobResult& result,
                          std::int64_t now_ms);
Result<void> update_cancelled(Database& db, std::string_view task_id);
Result<void> delete_ended(Database& db, const Retention& retention, std::size_t& deleted);
Result<void> end_interrupted(Database& db, std::int64_t now_ms, std::size_t& ended);

Result<std::optional<TaskRecord>> select_task(Database& db, std::string_view task_id);
Result<std::vector<TaskSummary>> select_summaries(Database& db, std::string_view tenant, std::size_t max);
Result<std::vector<std::string>> select_open_ids(Database& db);

}  // namespace drover::store
