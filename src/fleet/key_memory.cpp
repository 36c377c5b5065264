#include "fleet/key_memory.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "base/log.hpp"

namespace drover::fleet {
namespace {

namespace fs = std::filesystem;
using Keys = std::map<std::string, std::string>;

Keys read_keys(const fs::path& file) {
    Keys keys;
    std::error_code ec;
    if (fs::file_size(file, ec) > KeyMemory::kFileBytesMax || ec) return keys;
    std::ifstream in(file);
    std::string line, id, fingerprint;
    while (std::getline(in, line)) {
        std::istringstream words(line);
        if (words >> id >> fingerprint) keys[id] = fingerprint;
    }
    return keys;
}

// Several drovers may end at once: each merges and replaces the file under this lock.
class Lock {
public:
    explicit Lock(const fs::path& file) : fd_(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
        if (fd_ >= 0) (void)::flock(fd_, LOCK_EX);
    }
    ~Lock() {
        if (fd_ >= 0) ::close(fd_);
    }
    Lock(const Lock&) = delete;
    Lock& operator=(const Lock&) = delete;

private:
    int fd_;
};

}  // namespace

KeyMemory::KeyMemory(fs::path file) : file_(std::move(file)) {
    if (!file_.empty()) keys_ = read_keys(file_);
}

KeyMemory::~KeyMemory() {
    if (learned_.empty() || file_.empty()) return;
    std::error_code ec;
    // The state directory is its owner's alone; one that is there stays as it is.
    if (fs::create_directories(file_.parent_path(), ec)) fs::permissions(file_.parent_path(), fs::perms::owner_all, ec);
    const Lock lock(file_.string() + ".lock");
    Keys merged = read_keys(file_);
    for (const auto& id : learned_) merged[id] = keys_[id];
    const fs::path fresh = file_.string() + ".new";
    {
        std::ofstream out(fresh, std::ios::trunc);
        fs::permissions(fresh, fs::perms::owner_read | fs::perms::owner_write, ec);
        for (const auto& [id, fingerprint] : merged) out << id << ' ' << fingerprint << '\n';
        out.flush();
        if (!out) {
            log::warn("cannot write {}: which key each phone accepts is not remembered", fresh.string());
            return;
        }
    }
    fs::rename(fresh, file_, ec);
    if (ec) log::warn("cannot replace {}: {}", file_.string(), ec.message());
}

std::string KeyMemory::accepted_key(const std::string& instance_id) {
    const std::lock_guard lock(mutex_);
    const auto it = keys_.find(instance_id);
    return it == keys_.end() ? std::string() : it->second;
}

void KeyMemory::remember(const std::string& instance_id, const std::string& fingerprint) {
    const std::lock_guard lock(mutex_);
    std::string& key = keys_[instance_id];
    if (key == fingerprint) return;
    key = fingerprint;
    learned_.insert(instance_id);
}

}  // namespace drover::fleet
