// Which key each phone accepted last, so that it is tried first: a file of "INSTANCE FINGERPRINT" lines in the state directory.
//
// Threads: any (a mutex; used once per connection). Ownership: the fleet's, outlives all connectors. Failure: memory is a
// convenience: a file that cannot be read counts as empty, one that cannot be written is logged.
#pragma once
#include <filesystem>
#include <map>
#include <mutex>
#include <set>
#include <string>

namespace drover::fleet {

class KeyMemory {
public:
    static constexpr std::size_t kFileBytesMax = 4 * 1024 * 1024;

    // An empty path: nothing is read or written.
    explicit KeyMemory(std::filesystem::path file);
    // Writes what this process learned, merged into what others have written meanwhile, to a new file put in place of the old.
    ~KeyMemory();
    KeyMemory(const KeyMemory&) = delete;
    KeyMemory& operator=(const KeyMemory&) = delete;

    std::string accepted_key(const std::string& instance_id);  // empty: not known
    void remember(const std::string& instance_id, const std::string& fingerprint);

private:
    std::filesystem::path file_;
    std::mutex mutex_;
    std::map<std::string, std::string> keys_;
    std::set<std::string> learned_;  // instance ids
};

}  // namespace drover::fleet
