#include "store/task_rows.hpp"

#include <fmt/format.h>

namespace drover::store {
namespace {

constexpr std::string_view kInterruptedText =
    "interrupted: drover ended while this job was running; it is not run again";

Code code_of(std::string_view name) {
    for (const auto& entry : all_codes()) {
        if (entry.name == name) return entry.code;
    }
    return Code::internal;  // of another version
}

std::string name_of(Code code) { return std::string(info(code).name); }

// The task has ended when none of its jobs is open.
constexpr std::string_view kEndTask =
    "UPDATE tasks SET ended_ms = ?1 WHERE task_id = ?2 AND ended_ms IS NULL AND NOT EXISTS "
    "(SELECT 1 FROM jobs INDEXED BY jobs_open WHERE jobs.task_id = ?2 AND state < 2)";

JobRecord job_from(const Statement& s) {
    JobRecord job;
    job.job_id = s.text(0);
    job.instance_id = s.text(1);
    job.state = static_cast<JobState>(s.integer(2));
    job.result.code = code_of(s.text(3));
    job.result.error_msg = s.text(4);
    job.result.execute_msg = s.text(5);
    if (!s.is_null(6)) job.result.exit_code = static_cast<int>(s.integer(6));
    job.result.output_bytes = static_cast<std::uint64_t>(s.integer(7));
    job.result.truncated = s.integer(8) != 0;
    job.result.attempts = static_cast<std::uint32_t>(s.integer(9));
    job.result.ms = static_cast<std::uint64_t>(s.integer(10));
    return job;
}

Result<std::vector<JobRecord>> select_jobs(Database& db, std::string_view task_id) {
    auto s = db.prepare(
        "SELECT job_id, instance_id, state, code, error_msg, execute_msg, exit_code, output_bytes, truncated, "
        "attempts, ms "
        "FROM jobs WHERE task_id = ? ORDER BY position");
    if (!s) return tl::unexpected(s.error());
    s->bind(task_id);
    std::vector<JobRecord> jobs;
    while (true) {
        const auto row = s->step();
        if (!row) return tl::unexpected(row.error());
        if (!*row) return jobs;
        jobs.push_back(job_from(*s));
    }
}

}  // namespace

Result<void> insert_task(Database& db, const TaskRecord& task) {
    auto head = db.prepare(
        "INSERT INTO tasks (task_id, tenant, command, timeout_ms, max_output_bytes, created_ms) VALUES (?,?,?,?,?,?)");
    if (!head) return tl::unexpected(head.error());
    head->bind(task.task_id).bind(task.tenant).bind(task.command).bind(task.timeout_ms);
    head->bind(static_cast<std::int64_t>(task.max_output_bytes)).bind(task.created_ms);
    if (auto r = head->run(); !r) return r;
    auto job = db.prepare("INSERT INTO jobs (task_id, position, job_id, instance_id, state) VALUES (?,?,?,?,0)");
    if (!job) return tl::unexpected(job.error());
    for (std::size_t i = 0; i < task.jobs.size(); ++i) {
        job->bind(task.task_id)
            .bind(static_cast<std::int64_t>(i))
            .bind(task.jobs[i].job_id)
            .bind(task.jobs[i].instance_id);
        if (auto r = job->run(); !r) return r;
    }
    return {};
}

Result<void> update_running(Database& db, std::string_view task_id, const std::vector<std::size_t>& positions,
                            std::int64_t now_ms) {
    auto s = db.prepare("UPDATE jobs SET state = 1, started_ms = ? WHERE task_id = ? AND position = ? AND state = 0");
    if (!s) return tl::unexpected(s.error());
    for (const auto position : positions) {
        s->bind(now_ms).bind(task_id).bind(static_cast<std::int64_t>(position));
        if (auto r = s->run(); !r) return r;
        if (db.changes() != 1)
            return fail(Code::store_failed, fmt::format("job {} of task {} is not queued", position, task_id));
    }
    return {};
}

Result<void> update_ended(Database& db, std::string_view task_id, std::size_t position, const JobResult& result,
                          std::int64_t now_ms) {
    auto s = db.prepare(
        "UPDATE jobs SET state = 2, code = ?, error_msg = ?, execute_msg = ?, exit_code = ?, output_bytes = ?, "
        "truncated = ?, attempts = ?, ms = ?, ended_ms = ? WHERE task_id = ? AND position = ? AND state < 2");
    if (!s) return tl::unexpected(s.error());
    s->bind(name_of(result.code)).bind(result.error_msg).bind(result.execute_msg);
    s->bind(result.exit_code ? std::optional<std::int64_t>(*result.exit_code) : std::nullopt);
    s->bind(static_cast<std::int64_t>(result.output_bytes)).bind(static_cast<std::int64_t>(result.truncated));
    s->bind(static_cast<std::int64_t>(result.attempts)).bind(static_cast<std::int64_t>(result.ms));
    s->bind(now_ms).bind(task_id).bind(static_cast<std::int64_t>(position));
    if (auto r = s->run(); !r) return r;
    auto end = db.prepare(kEndTask);
    if (!end) return tl::unexpected(end.error());
    return end->bind(now_ms).bind(task_id).run();
}

Result<void> update_cancelled(Database& db, std::string_view task_id) {
    auto s = db.prepare("UPDATE tasks SET cancelled = 1 WHERE task_id = ? AND ended_ms IS NULL");
    if (!s) return tl::unexpected(s.error());
    return s->bind(task_id).run();
}

Result<void> delete_ended(Database& db, const Retention& retention, std::size_t& deleted) {
    // The oldest that are past the age, and those beyond the count.
    auto pick = db.prepare("CREATE TEMP TABLE IF NOT EXISTS doomed (task_id TEXT PRIMARY KEY) WITHOUT ROWID");
    if (!pick) return tl::unexpected(pick.error());
    if (auto r = pick->run(); !r) return r;
    auto fill = db.prepare(
        "INSERT OR IGNORE INTO doomed SELECT task_id FROM tasks WHERE ended_ms < ?1 UNION "
        "SELECT task_id FROM (SELECT task_id FROM tasks WHERE ended_ms IS NOT NULL "
        "ORDER BY ended_ms DESC, created_ms DESC, task_id LIMIT -1 OFFSET ?2)");
    if (!fill) return tl::unexpected(fill.error());
    fill->bind(retention.ended_before_ms).bind(static_cast<std::int64_t>(retention.keep_ended));
    if (auto r = fill->run(); !r) return r;
    deleted = static_cast<std::size_t>(db.changes());
    return db.execute(
        "DELETE FROM jobs WHERE task_id IN (SELECT task_id FROM doomed); "
        "DELETE FROM tasks WHERE task_id IN (SELECT task_id FROM doomed); DELETE FROM doomed;");
}

Result<void> end_interrupted(Database& db, std::int64_t now_ms, std::size_t& ended) {
    auto jobs = db.prepare(
        "UPDATE jobs INDEXED BY jobs_open SET state = 2, code = ?, error_msg = ?, attempts = 1, ended_ms = ? WHERE "
        "state < 2 AND state = 1");
    if (!jobs) return tl::unexpected(jobs.error());
    jobs->bind(name_of(Code::interrupted)).bind(kInterruptedText).bind(now_ms);
    if (auto r = jobs->run(); !r) return r;
    ended = static_cast<std::size_t>(db.changes());
    auto tasks = db.prepare(
        "UPDATE tasks SET ended_ms = ? WHERE ended_ms IS NULL AND NOT EXISTS "
        "(SELECT 1 FROM jobs INDEXED BY jobs_open WHERE jobs.task_id = tasks.task_id AND state < 2)");
    if (!tasks) return tl::unexpected(tasks.error());
    return tasks->bind(now_ms).run();
}

Result<std::optional<TaskRecord>> select_task(Database& db, std::string_view task_id) {
    auto s = db.prepare(
        "SELECT tenant, command, timeout_ms, max_output_bytes, created_ms, ended_ms, cancelled FROM tasks WHERE "
        "task_id = ?");
    if (!s) return tl::unexpected(s.error());
    s->bind(task_id);
    const auto row = s->step();
    if (!row) return tl::unexpected(row.error());
    if (!*row) return std::optional<TaskRecord>();
    TaskRecord task;
    task.task_id = task_id;
    task.tenant = s->text(0);
    task.command = s->text(1);
    task.timeout_ms = s->integer(2);
    task.max_output_bytes = static_cast<std::uint64_t>(s->integer(3));
    task.created_ms = s->integer(4);
    if (!s->is_null(5)) task.ended_ms = s->integer(5);
    task.cancelled = s->integer(6) != 0;
    auto jobs = select_jobs(db, task_id);
    if (!jobs) return tl::unexpected(jobs.error());
    task.jobs = std::move(*jobs);
    return std::optional<TaskRecord>(std::move(task));
}

Result<std::vector<TaskSummary>> select_summaries(Database& db, std::string_view tenant, std::size_t max) {
    auto s = db.prepare(
        "SELECT t.task_id, t.tenant, t.command, t.created_ms, t.ended_ms, t.cancelled, sum(j.state = 0), sum(j.state = "
        "1), "
        "sum(j.state = 2 AND j.code = ''), sum(j.state = 2 AND j.code <> '') FROM "
        "(SELECT * FROM tasks WHERE ?1 = '' OR tenant = ?1 ORDER BY created_ms DESC, task_id LIMIT ?2) t "
        "JOIN jobs j USING (task_id) GROUP BY t.task_id ORDER BY t.created_ms DESC, t.task_id");
    if (!s) return tl::unexpected(s.error());
    s->bind(tenant).bind(static_cast<std::int64_t>(max));
    std::vector<TaskSummary> all;
    while (true) {
        const auto row = s->step();
        if (!row) return tl::unexpected(row.error());
        if (!*row) return all;
        TaskSummary t;
        t.task_id = s->text(0);
        t.tenant = s->text(1);
        t.command = s->text(2);
        t.created_ms = s->integer(3);
        if (!s->is_null(4)) t.ended_ms = s->integer(4);
        t.cancelled = s->integer(5) != 0;
        t.queued = static_cast<std::uint32_t>(s->integer(6));
        t.running = static_cast<std::uint32_t>(s->integer(7));
        t.ok = static_cast<std::uint32_t>(s->integer(8));
        t.failed = static_cast<std::uint32_t>(s->integer(9));
        all.push_back(std::move(t));
    }
}

Result<std::vector<std::string>> select_open_ids(Database& db) {
    auto s = db.prepare("SELECT task_id FROM tasks WHERE ended_ms IS NULL ORDER BY created_ms, task_id");
    if (!s) return tl::unexpected(s.error());
    std::vector<std::string> ids;
    while (true) {
        const auto row = s->step();
        if (!row) return tl::unexpected(row.error());
        if (!*row) return ids;
        ids.emplace_back(s->text(0));
    }
}

}  // namespace drover::store
