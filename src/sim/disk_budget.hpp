// Whether there is room for another command of a phone: its directory is within its budget, the host's disk has some left.
// Looked at before each command; one that runs is held by the limits of sandbox.hpp alone.
//
// Touches the file system: the spawner's thread. Never follows a link, and looks at a bounded number of files: the phone's
// commands may put anything there while this looks.
#pragma once
#include <cstdint>
#include <string>

#include "drover/error.hpp"

namespace drover::sim {

struct DiskBudget {
    std::uint64_t phone_bytes_max = 256 * 1024 * 1024;  // as they lie on the disk
    std::uint64_t phone_files_max = 4096;               // directories too
    std::uint64_t phone_depth_max = 32;                 // directories inside each other
    std::uint64_t host_bytes_min = 64 * 1024 * 1024;    // left on the disk
    std::uint64_t host_files_min = 1024;                // likewise, where the file system counts them
};

// Failure: says what is full, for the person who wanted the command.
Result<void> check_disk(const std::string& directory, const DiskBudget& budget);

}  // namespace drover::sim
