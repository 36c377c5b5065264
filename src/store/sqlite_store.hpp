// The task store in an SQLite file: WAL, synchronous=FULL, one writer thread with group commit, a connection per reader.
// Threads, ownership, failure: as TaskStore. Only one process may have the file open for tasks; a second one is refused.
#pragma once
#include <filesystem>
#include <memory>
#include <vector>

#include "store/sqlite_file.hpp"
#include "store/task_store.hpp"

namespace drover::store {

class SqliteTaskStore final : public TaskStore {
public:
    // The file's folder must exist.
    static Result<std::unique_ptr<SqliteTaskStore>> open(const std::filesystem::path& file);
    explicit SqliteTaskStore(std::shared_ptr<SqliteFile> file) : file_(std::move(file)) {}

    void add(const TaskRecord& task, Done done) override;
    void mark_running(std::string task_id, std::vector<std::size_t> positions, std::int64_t now_ms, Done done) override;
    void finish(std::string task_id, std::size_t position, JobResult result, std::int64_t now_ms, Done done) override;
    void mark_cancelled(std::string task_id, Done done) override;
    void prune(Retention retention, std::function<void(Result<std::size_t>)> done) override;
    Result<std::optional<TaskRecord>> find(std::string_view task_id) override;
    Result<std::vector<TaskSummary>> list(std::string_view tenant, std::size_t max) override;
    Result<Recovered> recover(std::int64_t now_ms) override;

    std::size_t writes_queued() const { return file_->writes_queued(); }
    const std::shared_ptr<SqliteFile>& file() const { return file_; }  // for the other stores in it

private:
    const std::shared_ptr<SqliteFile> file_;
};

}  // namespace drover::store
