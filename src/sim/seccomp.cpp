// The system call filter of a phone's commands. Landlock and the user do most of the work; this closes what they leave:
// leaving the process group (the whole group is killed with its stream), new namespaces, sockets, and for a phone
// without a user of its own changes to files that Landlock does not watch (modes, owners, times).
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstddef>
#include <utility>

#include "sim/sandbox.hpp"

namespace drover::sim {
namespace {

constexpr std::uint32_t kNumber = offsetof(seccomp_data, nr);
constexpr std::uint32_t kArch = offsetof(seccomp_data, arch);
// Little-endian: the low half of an argument comes first.
constexpr std::uint32_t low_of(unsigned i) { return static_cast<std::uint32_t>(offsetof(seccomp_data, args) + 8 * i); }
constexpr std::uint32_t high_of(unsigned i) { return low_of(i) + 4; }
constexpr std::uint32_t kAllow = SECCOMP_RET_ALLOW;
constexpr std::uint32_t refuse(int error) { return SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(error); }

class Filter {
public:
    std::vector<sock_filter> code;

    void load(std::uint32_t offset) { add(BPF_LD | BPF_W | BPF_ABS, 0, 0, offset); }
    void answer(std::uint32_t value) { add(BPF_RET | BPF_K, 0, 0, value); }
    // The number must be loaded; it is loaded again afterwards where arguments were looked at.
    void refuse_call(long number, int error = EPERM) {
        add(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, static_cast<std::uint32_t>(number));
        answer(refuse(error));
    }
    // Refused unless the low half of the argument is `value`.
    void refuse_unless(long number, unsigned argument, std::uint32_t value, int error = EPERM) {
        add(BPF_JMP | BPF_JEQ | BPF_K, 0, 4, static_cast<std::uint32_t>(number));
        load(low_of(argument));
        add(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, value);
        answer(refuse(error));
        answer(kAllow);
    }
    // Refused when any of the bits is set.
    void refuse_bits(long number, unsigned argument, std::uint32_t bits, int error = EPERM) {
        add(BPF_JMP | BPF_JEQ | BPF_K, 0, 4, static_cast<std::uint32_t>(number));
        load(low_of(argument));
        add(BPF_JMP | BPF_JSET | BPF_K, 0, 1, bits);
        answer(refuse(error));
        answer(kAllow);
    }
    // Refused unless the argument is a null pointer.
    void refuse_unless_null(long number, unsigned argument) {
        add(BPF_JMP | BPF_JEQ | BPF_K, 0, 6, static_cast<std::uint32_t>(number));
        load(low_of(argument));
        add(BPF_JMP | BPF_JEQ | BPF_K, 0, 2, 0);
        load(high_of(argument));
        add(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, 0);
        answer(refuse(EPERM));
        answer(kAllow);
    }

private:
    void add(int op, std::uint8_t yes, std::uint8_t no, std::uint32_t k) {
        code.push_back(sock_filter{static_cast<std::uint16_t>(op), yes, no, k});
    }
};

constexpr long kAlways[] = {
    SYS_ptrace,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_mount,
    SYS_umount2,
    SYS_pivot_root,
    SYS_chroot,
    SYS_setns,
    SYS_unshare,
    SYS_reboot,
    SYS_kexec_load,
    SYS_init_module,
    SYS_finit_module,
    SYS_delete_module,
    SYS_bpf,
    SYS_perf_event_open,
    SYS_keyctl,
    SYS_add_key,
    SYS_request_key,
    SYS_io_uring_setup,
    SYS_io_uring_enter,
    SYS_io_uring_register,
    SYS_userfaultfd,
    SYS_swapon,
    SYS_swapoff,
    SYS_sethostname,
    SYS_setdomainname,
    SYS_settimeofday,
    SYS_clock_settime,
    SYS_adjtimex,
    SYS_clock_adjtime,
    SYS_quotactl,
    SYS_acct,
    SYS_syslog,
    SYS_open_by_handle_at,
    SYS_name_to_handle_at,
    SYS_fanotify_init,
    SYS_kcmp,
    SYS_setpgid,
    SYS_setsid,
    SYS_setpriority,
    SYS_ioprio_set,
    SYS_sched_setaffinity,
    SYS_sched_setscheduler,
    SYS_sched_setparam,
    SYS_sched_setattr,
    SYS_sync,
    SYS_pidfd_getfd,
    SYS_vhangup,
    SYS_socket,
    SYS_socketpair,  // also local ones: services of the host listen there
    // Shared memory, semaphores and queues: no directory of the phone holds them, nothing removes them, and the host's own
    // programs meet there.
    SYS_shmget,
    SYS_shmat,
    SYS_shmctl,
    SYS_semget,
    SYS_semop,
    SYS_semtimedop,
    SYS_semctl,
    SYS_msgget,
    SYS_msgsnd,
    SYS_msgrcv,
    SYS_msgctl,
    SYS_mq_open,
    SYS_mq_unlink,
    SYS_memfd_create,
#ifdef SYS_iopl
    SYS_iopl,
    SYS_ioperm,
#endif
};

// Landlock does not watch these: without a user of its own a phone could reach the files of the person who runs it.
constexpr long kForeignUser[] = {
    SYS_fchmodat,
    SYS_fchownat,
    SYS_setxattr,
    SYS_lsetxattr,
    SYS_removexattr,
    SYS_lremovexattr,
    452 /* fchmodat2 */,
    463 /* setxattrat */,
    466 /* removexattrat */,
#ifdef SYS_chmod
    SYS_chmod,
    SYS_chown,
    SYS_lchown,
    SYS_utime,
    SYS_utimes,
    SYS_futimesat,
#endif
};

constexpr long kSignals[] = {
    SYS_kill, SYS_tkill, SYS_tgkill, SYS_rt_sigqueueinfo, SYS_rt_tgsigqueueinfo, SYS_pidfd_send_signal};

constexpr std::uint32_t kNewNamespaces = 0x7e020000;  // CLONE_NEWNS, CGROUP, UTS, IPC, USER, PID, NET

}  // namespace

std::vector<sock_filter> make_filter(const FilterOptions& options) {
#if defined(__x86_64__)
    constexpr std::uint32_t kOurArch = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
    constexpr std::uint32_t kOurArch = AUDIT_ARCH_AARCH64;
#else
    return {};
#endif
    Filter f;
    f.load(kArch);
    f.code.push_back(sock_filter{BPF_JMP | BPF_JEQ | BPF_K, 1, 0, kOurArch});
    f.answer(SECCOMP_RET_KILL_PROCESS);
    f.load(kNumber);
#if defined(__x86_64__)
    f.code.push_back(sock_filter{BPF_JMP | BPF_JGE | BPF_K, 0, 1, 0x40000000});  // the x32 numbers
    f.answer(refuse(ENOSYS));
#endif
    for (const long number : kAlways) f.refuse_call(number);
    f.refuse_call(SYS_clone3,
                  ENOSYS);  // its flags lie in memory, where a filter cannot look; the C library then uses clone
    f.refuse_bits(SYS_clone, 0, kNewNamespaces);
    f.refuse_unless(SYS_prlimit64, 0, 0);
    if (!options.own_user) {
        for (const long number : kForeignUser) f.refuse_call(number);
        f.refuse_unless_null(SYS_utimensat, 1);
    }
    if (options.refuse_kill) {
        for (const long number : kSignals) f.refuse_call(number);
    }
    f.answer(kAllow);
    return std::move(f.code);
}

}  // namespace drover::sim
