// The directory below which all phones of one fleet have theirs: fresh, under TMPDIR or /tmp, removed at the end. What a
// killed fleet left behind is removed by the next one: a living fleet holds a lock on its own directory.
//
// One owner; any thread, one at a time. Touches the file system.
#pragma once
#include <filesystem>

#include "base/unique_fd.hpp"
#include "drover/error.hpp"

namespace drover::sim {

class ScratchRoot {
public:
    // as_root: other users must be able to pass through (not look inside).
    static Result<ScratchRoot> create(bool as_root);
    ScratchRoot() = default;
    ScratchRoot(ScratchRoot&&) noexcept;
    ScratchRoot& operator=(ScratchRoot&&) noexcept;
    ~ScratchRoot();

    const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
    UniqueFd lock_;
};

// Removes directories of fleets that have ended without doing so. Never another user's.
void remove_stale_roots(const std::filesystem::path& folder);

}  // namespace drover::sim
