#include "agent/sqlite_ledger.hpp"

#include <fmt/format.h>

#include <array>

#include "store/lock.hpp"
#include "store/schema.hpp"

namespace drover::agent {
namespace {

// Step i makes version i + 1 out of version i. Published steps are never edited; a change is a new step.
constexpr std::array<const char*, SqliteLedger::kSchemaVersion> kSteps{
    R"(CREATE TABLE commands (
         server_id TEXT NOT NULL, name TEXT NOT NULL, task_id TEXT NOT NULL, bucket TEXT NOT NULL, state INTEGER NOT NULL,
         received_order INTEGER NOT NULL, done_order INTEGER NOT NULL, started_ms INTEGER NOT NULL, report TEXT NOT NULL,
         PRIMARY KEY (server_id, name, task_id)
       ) STRICT, WITHOUT ROWID;
       CREATE TABLE phones (
         server_id TEXT NOT NULL, task_id TEXT NOT NULL, instance_id TEXT NOT NULL, ok INTEGER NOT NULL,
         PRIMARY KEY (server_id, task_id, instance_id)
       ) STRICT, WITHOUT ROWID;)",
};

}  // namespace

Result<std::unique_ptr<SqliteLedger>> SqliteLedger::open(const std::filesystem::path& file, std::string server_id) {
    const auto lock = store::take_lock(file);
    if (!lock) return tl::unexpected(lock.error());
    auto db = store::Database::open(file, store::Database::Mode::read_write);
    auto ready = db ? db->execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;") : tl::unexpected(db.error());
    if (ready) ready = store::migrate(*db, kSteps);
    if (!ready) {
        store::release_lock(*lock);
        return tl::unexpected(ready.error());
    }
    return std::unique_ptr<SqliteLedger>(new SqliteLedger(std::move(*db), std::move(server_id), *lock));
}

SqliteLedger::~SqliteLedger() { store::release_lock(lock_); }

Result<std::vector<Entry>> SqliteLedger::load() {
    auto s = db_.prepare(
        "SELECT name, task_id, bucket, state, received_order, done_order, started_ms, report FROM commands "
        "WHERE server_id = ? ORDER BY received_order");
    if (!s) return tl::unexpected(s.error());
    s->bind(server_id_);
    std::vector<Entry> all;
    while (true) {
        const auto row = s->step();
        if (!row) return tl::unexpected(row.error());
        if (!*row) return all;
        Entry entry;
        entry.command = {{s->text(0), s->text(1)}, s->text(2)};
        entry.state = static_cast<EntryState>(s->integer(3));
        entry.order = s->integer(4);
        entry.done_order = s->integer(5);
        entry.started_ms = s->integer(6);
        entry.report = s->text(7);
        all.push_back(std::move(entry));
    }
}

Result<void> SqliteLedger::put(const Entry& entry) {
    auto s = db_.prepare("INSERT OR REPLACE INTO commands VALUES (?,?,?,?,?,?,?,?,?)");
    if (!s) return tl::unexpected(s.error());
    const auto& key = entry.command.key;
    s->bind(server_id_).bind(key.name).bind(key.task_id).bind(entry.command.bucket);
    s->bind(static_cast<std::int64_t>(entry.state)).bind(entry.order).bind(entry.done_order);
    return s->bind(entry.started_ms).bind(entry.report).run();
}

Result<void> SqliteLedger::erase(const Key& key) {
    auto s = db_.prepare("DELETE FROM commands WHERE server_id = ? AND name = ? AND task_id = ?");
    if (!s) return tl::unexpected(s.error());
    return s->bind(server_id_).bind(key.name).bind(key.task_id).run();
}

Result<void> SqliteLedger::forget_task(std::string_view task_id) {
    auto s = db_.prepare("DELETE FROM phones WHERE server_id = ? AND task_id = ?");
    if (!s) return tl::unexpected(s.error());
    return s->bind(server_id_).bind(task_id).run();
}

Result<void> SqliteLedger::record(std::string_view task_id, const std::vector<std::pair<std::string, bool>>& phones) {
    if (auto r = db_.execute("BEGIN IMMEDIATE"); !r) return r;
    const auto write = [&]() -> Result<void> {
        auto s = db_.prepare("INSERT OR REPLACE INTO phones VALUES (?,?,?,?)");
        if (!s) return tl::unexpected(s.error());
        for (const auto& [id, ok] : phones) {
            s->bind(server_id_).bind(task_id).bind(id).bind(static_cast<std::int64_t>(ok));
            if (auto r = s->run(); !r) return r;
        }
        return {};
    };
    auto written = write();
    if (written) written = db_.execute("COMMIT");
    if (!written) (void)db_.execute("ROLLBACK");
    return written;
}

Result<std::map<std::string, bool>> SqliteLedger::ended(std::string_view task_id) {
    auto s = db_.prepare("SELECT instance_id, ok FROM phones WHERE server_id = ? AND task_id = ?");
    if (!s) return tl::unexpected(s.error());
    s->bind(server_id_).bind(task_id);
    std::map<std::string, bool> all;
    while (true) {
        const auto row = s->step();
        if (!row) return tl::unexpected(row.error());
        if (!*row) return all;
        all.emplace(s->text(0), s->integer(1) != 0);
    }
}

}  // namespace drover::agent
