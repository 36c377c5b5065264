#include "store/schema.hpp"

#include <fmt/format.h>

#include <array>

namespace drover::store {
namespace {

// Step i makes version i + 1 out of version i. Published steps are never edited; a change is a new step.
constexpr std::array<const char*, kSchemaVersion> kSteps{
    // 1: tasks and their jobs.
    R"(CREATE TABLE tasks (
         task_id TEXT PRIMARY KEY, tenant TEXT NOT NULL, command TEXT NOT NULL, timeout_ms INTEGER NOT NULL,
         max_output_bytes INTEGER NOT NULL, created_ms INTEGER NOT NULL, ended_ms INTEGER, cancelled INTEGER NOT NULL DEFAULT 0
       ) STRICT, WITHOUT ROWID;
       CREATE INDEX tasks_ended ON tasks (ended_ms, created_ms);
       CREATE INDEX tasks_created ON tasks (created_ms);
       CREATE TABLE jobs (
         task_id TEXT NOT NULL, position INTEGER NOT NULL, job_id TEXT NOT NULL, instance_id TEXT NOT NULL,
         state INTEGER NOT NULL, code TEXT NOT NULL DEFAULT '', error_msg TEXT NOT NULL DEFAULT '',
         execute_msg TEXT NOT NULL DEFAULT '', exit_code INTEGER, output_bytes INTEGER NOT NULL DEFAULT 0,
         truncated INTEGER NOT NULL DEFAULT 0, attempts INTEGER NOT NULL DEFAULT 0, ms INTEGER NOT NULL DEFAULT 0,
         started_ms INTEGER, ended_ms INTEGER, PRIMARY KEY (task_id, position)
       ) STRICT, WITHOUT ROWID;)",
    // 2: what a restart looks for, without reading every job.
    "CREATE INDEX jobs_open ON jobs (state) WHERE state < 2;",
    // 3: sources, their commands (state 0 waiting, 1 delivered, 2 done) and results.
    R"(CREATE TABLE sources (
         server_id TEXT PRIMARY KEY, tenant TEXT NOT NULL, created_ms INTEGER NOT NULL, polled_ms INTEGER,
         last_result TEXT NOT NULL DEFAULT '', last_number INTEGER, pause INTEGER NOT NULL DEFAULT 0
       ) STRICT, WITHOUT ROWID;
       CREATE TABLE source_commands (
         number INTEGER PRIMARY KEY AUTOINCREMENT, server_id TEXT NOT NULL, name TEXT NOT NULL, task_id TEXT, bucket TEXT,
         state INTEGER NOT NULL DEFAULT 0, created_ms INTEGER NOT NULL, delivered_ms INTEGER, ended_ms INTEGER,
         result TEXT NOT NULL DEFAULT '', detail TEXT NOT NULL DEFAULT ''
       ) STRICT;
       CREATE INDEX source_commands_of ON source_commands (server_id, state, number);)",
    // 4: the open jobs of one task, as each job that ends asks for; and a job that begins changes no index.
    "DROP INDEX jobs_open; CREATE INDEX jobs_open ON jobs (task_id) WHERE state < 2;",
};

Result<int> version_of(Database& db) {
    auto statement = db.prepare("PRAGMA user_version");
    if (!statement) return tl::unexpected(statement.error());
    const auto row = statement->step();
    if (!row) return tl::unexpected(row.error());
    return static_cast<int>(statement->integer(0));
}

}  // namespace

Result<void> migrate(Database& db) { return migrate(db, kSteps); }

Result<void> migrate(Database& db, std::span<const char* const> steps) {
    const auto newest = static_cast<int>(steps.size());
    auto version = version_of(db);
    if (!version) return tl::unexpected(version.error());
    if (*version < 0 || *version > newest) {
        return fail(Code::store_failed, fmt::format("the task store has schema version {}, this drover knows up to {}; "
                                                    "use the newer drover that wrote it",
                                                    *version, newest));
    }
    for (int v = *version; v < newest; ++v) {
        const auto sql = fmt::format("BEGIN IMMEDIATE; {} PRAGMA user_version = {}; COMMIT;",
                                     steps[static_cast<std::size_t>(v)], v + 1);
        if (auto done = db.execute(sql); !done) {
            (void)db.execute("ROLLBACK");
            return done;
        }
    }
    return {};
}

}  // namespace drover::store
