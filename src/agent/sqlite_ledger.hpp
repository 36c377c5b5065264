// The ledger in an SQLite file of its own, one for each server_id. Threads, failure: as Ledger. Only one process may have it open.
#pragma once
#include <filesystem>
#include <memory>

#include "agent/ledger.hpp"
#include "store/sqlite.hpp"

namespace drover::agent {

class SqliteLedger final : public Ledger {
public:
    static constexpr int kSchemaVersion = 1;  // SQLite's user_version

    // The file's folder must exist.
    static Result<std::unique_ptr<SqliteLedger>> open(const std::filesystem::path& file, std::string server_id);
    ~SqliteLedger() override;

    Result<std::vector<Entry>> load() override;
    Result<void> put(const Entry& entry) override;
    Result<void> erase(const Key& key) override;
    Result<void> forget_task(std::string_view task_id) override;
    Result<void> record(std::string_view task_id, const std::vector<std::pair<std::string, bool>>& phones) override;
    Result<std::map<std::string, bool>> ended(std::string_view task_id) override;

private:
    SqliteLedger(store::Database db, std::string server_id, int lock)
        : db_(std::move(db)), server_id_(std::move(server_id)), lock_(lock) {}

    store::Database db_;
    const std::string server_id_;
    const int lock_;
};

}  // namespace drover::agent
