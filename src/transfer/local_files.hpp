// The files of this host that are sent to phones: a small window on the file system, so that tests can stand behind it.
//
// Blocks: for the work pool and for start-up only. Threads: any, each reader one at a time. Ownership: readers are the
// caller's; the files outlive them. Failure: Result with the path and the system's reason.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "drover/error.hpp"

namespace drover::transfer {

constexpr std::size_t kEntriesMax = 200'000;  // of one transfer, files and directories
constexpr std::size_t kDepthMax = 64;         // directories in directories

struct LocalEntry {
    enum class Kind : std::uint8_t { file, directory, link };
    Kind kind = Kind::file;
    std::string path;         // to open it
    std::string name;         // below what was asked for: "a/b"; empty for that itself
    std::uint32_t mode = 0;   // permissions
    std::int64_t mtime = 0;   // seconds since 1970
    std::uint64_t bytes = 0;  // when it was looked at
    std::string target;       // of a link
    bool empty = false;       // a directory with nothing in it
};

class LocalReader {
public:
    virtual ~LocalReader() = default;
    virtual Result<std::size_t> read(std::span<std::uint8_t> to) = 0;  // 0: the end
};

class LocalFiles {
public:
    virtual ~LocalFiles() = default;
    // A file, or a directory with all that is below it, parents first, by name. A link is followed only when it is `path` itself.
    // What is neither file, directory nor link is an error.
    virtual Result<std::vector<LocalEntry>> walk(const std::string& path) = 0;
    virtual Result<std::unique_ptr<LocalReader>> open(const std::string& path) = 0;
};

// The real ones. Stateless; for ever.
LocalFiles& local_files();

}  // namespace drover::transfer
