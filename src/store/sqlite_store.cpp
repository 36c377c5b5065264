#include "store/sqlite_store.hpp"

#include <future>

#include "store/task_rows.hpp"

namespace drover::store {

Result<std::unique_ptr<SqliteTaskStore>> SqliteTaskStore::open(const std::filesystem::path& file) {
    auto opened = SqliteFile::open(file);
    if (!opened) return tl::unexpected(opened.error());
    return std::make_unique<SqliteTaskStore>(std::move(*opened));
}

void SqliteTaskStore::add(const TaskRecord& task, Done done) {
    file_->write([task](Database& db) { return insert_task(db, task); }, std::move(done));
}

void SqliteTaskStore::mark_running(std::string task_id, std::vector<std::size_t> positions, std::int64_t now_ms,
                                   Done done) {
    file_->write([id = std::move(task_id), all = std::move(positions),
                  now_ms](Database& db) { return update_running(db, id, all, now_ms); },
                 std::move(done));
}

void SqliteTaskStore::finish(std::string task_id, std::size_t position, JobResult result, std::int64_t now_ms,
                             Done done) {
    file_->write([id = std::move(task_id), position, r = std::move(result),
                  now_ms](Database& db) { return update_ended(db, id, position, r, now_ms); },
                 std::move(done));
}

void SqliteTaskStore::mark_cancelled(std::string task_id, Done done) {
    file_->write([id = std::move(task_id)](Database& db) { return update_cancelled(db, id); }, std::move(done));
}

void SqliteTaskStore::prune(Retention retention, std::function<void(Result<std::size_t>)> done) {
    auto count = std::make_shared<std::size_t>(0);
    file_->write([retention, count](Database& db) { return delete_ended(db, retention, *count); },
                 [count, done = std::move(done)](const Result<void>& r) {
                     done(r ? Result<std::size_t>(*count) : tl::unexpected(r.error()));
                 });
}

Result<std::optional<TaskRecord>> SqliteTaskStore::find(std::string_view task_id) {
    return file_->read([&](Database& db) { return select_task(db, task_id); });
}

Result<std::vector<TaskSummary>> SqliteTaskStore::list(std::string_view tenant, std::size_t max) {
    return file_->read([&](Database& db) { return select_summaries(db, tenant, std::min(max, kListMax)); });
}

Result<Recovered> SqliteTaskStore::recover(std::int64_t now_ms) {
    auto open = file_->read([](Database& db) { return select_open_ids(db); });
    if (!open) return tl::unexpected(open.error());
    Recovered recovered;
    std::promise<Result<void>> ended;
    file_->write([&](Database& db) { return end_interrupted(db, now_ms, recovered.interrupted); },
                 [&](Result<void> r) { ended.set_value(std::move(r)); });
    if (auto r = ended.get_future().get(); !r) return tl::unexpected(r.error());
    return file_->read([&](Database& db) -> Result<Recovered> {
        for (const auto& id : *open) {
            auto task = select_task(db, id);
            if (!task) return tl::unexpected(task.error());
            if (*task) recovered.tasks.push_back(std::move(**task));
        }
        return std::move(recovered);
    });
}

}  // namespace drover::store
