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

AuditLog::AuditLog(std::filesystem::path file) : file_(std::move(file)) {
    if (!file_.empty()) open();
}
AuditLog::~AuditLog() {
    writer_.stop();
    if (fd_ >= 0) ::close(fd_);
}

void AuditLog::reopen() {
    if (!file_.empty()) writer_.post([this] { open(); });
}

void AuditLog::open() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = ::open(file_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    told_ = false;
    if (fd_ < 0) complain(std::strerror(errno));
}

void AuditLog::complain(std::string_view what) {
    if (!told_.exchange(true)) log::error("{}: the audit log cannot be written: {}", file_.string(), what);
}

void AuditLog::write(AuditEntry entry) {
    if (file_.empty()) return;
    if (++queued_ > kQueuedMax) {
        --queued_;
        return complain("the disk is too slow, and lines are lost");
    }
    writer_.post([this, entry = std::move(entry), now = std::chrono::system_clock::now()] {
        put(entry, now);
        --queued_;
    });
}

void AuditLog::put(const AuditEntry& entry, std::chrono::system_clock::time_point when) {
    boost::json::object line;
    line["time"] = utc_text(when);
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
    if (fd_ < 0) return complain("it is not open");
    if (::write(fd_, text.data(), text.size()) != static_cast<ssize_t>(text.size())) complain(std::strerror(errno));
}

}  // namespace drover::http
