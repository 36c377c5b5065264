#include "sim/sandbox.hpp"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace drover::sim {
namespace {

bool set_limit(int what, std::uint64_t most) {
    rlimit now{};
    if (::syscall(SYS_prlimit64, 0, what, nullptr, &now) != 0) return false;
    // A limit that is already lower stays.
    const rlim_t value = now.rlim_max < most ? now.rlim_max : static_cast<rlim_t>(most);
    const rlimit wanted{value, value};
    return ::syscall(SYS_prlimit64, 0, what, &wanted, nullptr) == 0;
}

// When memory runs short the phones' commands go first, not the host's programs.
void volunteer_for_the_oom_killer() {
    const int fd = ::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd < 0) return;
    if (::write(fd, "1000", 4) != 4) { /* only a courtesy to the host */
    }
    ::close(fd);
}

// Bare system calls: the C library's wrappers would talk to threads that the child does not have.
bool become(uid_t id) {
    if (::syscall(SYS_setgroups, 0, nullptr) != 0) return false;
    if (::syscall(SYS_setresgid, id, id, id) != 0 || ::syscall(SYS_setresuid, id, id, id) != 0) return false;
    uid_t real = 0, effective = 0, saved = 0;
    return ::getresuid(&real, &effective, &saved) == 0 && real == id && effective == id && saved == id;
}

}  // namespace

const char* enter(const Sandbox& sandbox) {
    ::umask(077);
    volunteer_for_the_oom_killer();
    if (!set_limit(RLIMIT_CORE, 0)) return "the core limit";
    if (!set_limit(RLIMIT_FSIZE, sandbox.limits.file_bytes_max)) return "the file size limit";
    if (!set_limit(RLIMIT_AS, sandbox.limits.memory_bytes_max)) return "the memory limit";
    if (!set_limit(RLIMIT_CPU, sandbox.limits.cpu_seconds_max)) return "the processor limit";
    if (!set_limit(RLIMIT_NOFILE, sandbox.limits.open_files_max)) return "the open files limit";
    if (!set_limit(RLIMIT_NPROC, sandbox.limits.processes_max)) return "the process limit";
    if (sandbox.drop_user && !become(sandbox.uid)) return "dropping to the phone's user";
    // After the change of user, which clears it.
    if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return "the parent death signal";
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return "no_new_privs";
    if (sandbox.ruleset_fd >= 0) {
        constexpr long kRestrictSelf = 446;
        if (::syscall(kRestrictSelf, sandbox.ruleset_fd, 0) != 0) return "Landlock";
    }
    if (sandbox.filter != nullptr && !sandbox.filter->empty()) {
        sock_fprog program{static_cast<unsigned short>(sandbox.filter->size()),
                           const_cast<sock_filter*>(sandbox.filter->data())};
        if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) return "the system call filter";
    }
    return nullptr;
}

}  // namespace drover::sim
