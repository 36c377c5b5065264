// Where the files of one phone are put: written aside, and moved to their place all at once when everything is there.
//
// Blocks: for the work pool. One thread at a time. Ownership: the task's. Failure: Result with the path and the system's reason;
// then, or when nobody publishes, discard() removes everything. Names are relative and were checked by the caller: no "..", no
// empty part, no NUL.
#pragma once
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "drover/error.hpp"

namespace drover::transfer {

class PullTree {
public:
    virtual ~PullTree() = default;
    // Permissions are the phone's, less this process's umask, as with `adb pull -a`; a directory's owner may always use it.
    virtual Result<void> make_directory(const std::string& name, std::uint32_t mode) = 0;
    // One file at a time: create, write, close. A name that is there already is an error.
    virtual Result<void> create(const std::string& name, std::uint32_t mode) = 0;
    virtual Result<void> write(ByteView bytes) = 0;
    virtual Result<void> close(std::int64_t mtime) = 0;
    virtual Result<void> set_directory_time(const std::string& name, std::int64_t mtime) = 0;
    // Each name of the top takes its place; what was there under the same name is replaced as a whole.
    virtual Result<void> publish() = 0;
    virtual void discard() = 0;
};

// DIR/INSTANCE, written in a directory of its own beside it first (aside_directory.hpp). Links in the place of either are refused.
std::unique_ptr<PullTree> make_pull_tree(std::filesystem::path directory, std::string instance);

}  // namespace drover::transfer
