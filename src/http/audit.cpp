#include "http/audit.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cerrno>
#include <cstring>

#include "base/log.hpp"
#include "http/answer.hpp"

namespace drover::http {

AuditLog::AuditLog(std::filesystem::path file) : file_(std::move(file)) { reopen(); }
AuditLog::~AuditLog() {
    if (fd_ >= 0) ::close(fd_);
}

void AuditLog::open_locked() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = ::open(file_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    told_ = false;
    if (fd_ < 0) log::error("{}: {}", file_.string(), std::strerror(errno));
}

void AuditLog::reopen() {
    const std::lock_guard lock(mutex_);
    if (!file_.empty()) open_locked();
}

void AuditLog::write(const AuditEntry& entry) {
    if (file_.empty()) return;
    boost::json::object line;
    line["time"] = utc_text(std::chrono::system_clock::now());
    line["request_id"] = entry.request_id;
    line["tenant"] = entry.tenant;
    line["peer"] = entry.peer;
    line["call"] = entry.call;
    line["command"] = entry.command;
    boost::json::array instances;
    for (const auto& id : entry.instances) instances.emplace_back(id);
    line["instances"] = std::move(instances);
    line["outcome"] = entry.outcome;
    const auto text = boost::json::serialize(line) + "\n";
    const std::lock_guard lock(mutex_);
    if (fd_ >= 0 && ::write(fd_, text.data(), text.size()) == static_cast<ssize_t>(text.size())) return;
    if (!std::exchange(told_, true)) log::error("{}: the audit log cannot be written", file_.string());
}

}  // namespace drover::http
