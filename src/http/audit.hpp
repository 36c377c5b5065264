// Who did what: one JSON object per line for every request that named a command or was refused for its credentials.
// Any thread; a line is written whole. Failure: a file that cannot be written is told once in the log, and again after
// reopen(); requests go on.
#pragma once
#include <filesystem>
#include <mutex>
#include <string>
#include <vector>

namespace drover::http {

struct AuditEntry {
    std::string request_id, tenant, peer, call;
    std::string command;
    std::vector<std::string> instances;
    std::string outcome;  // "ok", "rows 98 ok, 2 failed", "task ID", an error code
};

class AuditLog {
public:
    // An empty path: nothing is written.
    explicit AuditLog(std::filesystem::path file);
    ~AuditLog();
    AuditLog(const AuditLog&) = delete;
    AuditLog& operator=(const AuditLog&) = delete;

    void write(const AuditEntry& entry);
    void reopen();  // after the file was moved away

private:
    void open_locked();

    const std::filesystem::path file_;
    std::mutex mutex_;
    int fd_ = -1;
    bool told_ = false;
};

}  // namespace drover::http
