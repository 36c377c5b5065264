// Who did what: one JSON object per line for every request that named a command or was refused for its credentials (of a peer
// that goes on guessing, the first few), for the end of each asynchronous task and of each command of a controller.
//
// Any thread, loops too: lines are written behind, in order and whole, the last of them before the destructor returns. Failure: a
// file that cannot be written, or a disk too slow for kQueuedMax lines, is told once in the log, and again after reopen();
// requests go on.
#pragma once
#include <atomic>
#include <filesystem>
#include <string>
#include <vector>

#include "base/work_pool.hpp"

namespace drover::http {

struct AuditEntry {
    std::string request_id, tenant, peer, call;
    std::string command;
    std::vector<std::string> instances;
    std::string outcome;  // "ok", "rows 98 ok, 2 failed", "task ID", an error code
};

class AuditLog {
public:
    static constexpr std::size_t kQueuedMax = 10'000;  // lines that wait for the disk; more are lost

    // An empty path: nothing is written.
    explicit AuditLog(std::filesystem::path file);
    ~AuditLog();
    AuditLog(const AuditLog&) = delete;
    AuditLog& operator=(const AuditLog&) = delete;

    void write(AuditEntry entry);
    void reopen();  // after the file was moved away

private:
    void open();
    void put(const AuditEntry& entry, std::chrono::system_clock::time_point when);
    void complain(std::string_view what);

    const std::filesystem::path file_;
    std::atomic<std::size_t> queued_ = 0;
    std::atomic<bool> told_ = false;
    int fd_ = -1;  // the writer's
    WorkPool writer_{1};
};

}  // namespace drover::http
