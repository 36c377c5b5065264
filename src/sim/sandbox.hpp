// The walls around a command of a virtual phone: what the child does to itself between fork and exec.
//
// As root it becomes a user of its own; always: no_new_privs, resource limits, Landlock (reads only what a program
// needs, writes only below the phone's directory, no TCP), a seccomp filter for what no phone command needs, its own
// session and process group that it cannot leave, death together with the thread that started it.
//
// Everything is prepared before fork (make_ruleset, make_filter); enter() makes system calls only: no memory is
// allocated and no lock is taken in the child of a threaded process.
#pragma once
#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/unique_fd.hpp"
#include "drover/error.hpp"

struct sock_filter;

namespace drover::sim {

// 0: this kernel has no Landlock, or it is switched off.
int landlock_abi();

struct SandboxLimits {
    std::uint64_t file_bytes_max = 64 * 1024 * 1024;     // one file
    std::uint64_t memory_bytes_max = 512 * 1024 * 1024;  // address space of one process
    std::uint64_t cpu_seconds_max = 600;                 // of one process
    std::uint64_t open_files_max = 128;
    std::uint64_t processes_max = 64;  // of the user
};

struct PathRule {
    UniqueFd fd;  // O_PATH
    std::uint64_t access = 0;
};

// What a path may be used for.
enum class Access : std::uint8_t { read, execute, device, all };
// A missing path gives an empty rule, which is left out.
PathRule path_rule(const std::string& path, Access access, int abi);

// A ruleset of the shared rules and one directory that may be written. Empty fd when abi is 0.
Result<UniqueFd> make_ruleset(int abi, const std::vector<PathRule>& shared, const std::string& own_directory,
                              bool scope_signals);

struct FilterOptions {
    bool own_user = true;      // the phone has a user of its own
    bool refuse_kill = false;  // no user of its own and no Landlock scope: signals would reach the host's processes
};
std::vector<sock_filter> make_filter(const FilterOptions& options);

struct Sandbox {
    bool drop_user = false;
    uid_t uid = 0;  // also the group
    SandboxLimits limits;
    int ruleset_fd = -1;  // -1: no Landlock
    const std::vector<sock_filter>* filter = nullptr;
};

// Called in the child. Null, or what failed (a literal): then the child must not run the command.
const char* enter(const Sandbox& sandbox);

}  // namespace drover::sim
