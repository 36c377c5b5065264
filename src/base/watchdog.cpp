#include "base/watchdog.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace drover {
namespace {

auto failed(std::string_view what) {
    return fail(Code::out_of_resources, fmt::format("{}: {}", what, std::strerror(errno)));
}

constexpr pid_t kEnd = 0;

// One bit for each process group. Only the watchdog writes it, in its own copy; untouched pages cost nothing.
constexpr std::size_t kWordBits = 64;
std::array<std::uint64_t, Watchdog::kPidsMax / kWordBits> watched;

void note(pid_t word) {
    const auto group = static_cast<std::size_t>(word < 0 ? -word : word);
    if (group >= static_cast<std::size_t>(Watchdog::kPidsMax)) return;
    const std::uint64_t bit = std::uint64_t{1} << (group % kWordBits);
    std::uint64_t& bits = watched[group / kWordBits];
    bits = word < 0 ? bits & ~bit : bits | bit;
}

void kill_watched() {
    for (std::size_t i = 0; i < watched.size(); ++i) {
        for (std::uint64_t left = watched[i]; left != 0; left &= left - 1) {
            const auto bit = static_cast<std::size_t>(std::countr_zero(left));
            ::kill(-static_cast<pid_t>(i * kWordBits + bit), SIGKILL);
        }
    }
}

// The child of a process with threads: system calls only.
[[noreturn]] void be_watchdog(int pipe) {
    sigset_t all;
    ::sigfillset(&all);
    ::sigprocmask(SIG_SETMASK, &all, nullptr);  // who signals this program by its name means the parent
    ::setsid();
    ::prctl(PR_SET_NAME, "drover-watchdog");
    if (::chdir("/") != 0) ::_exit(1);
    constexpr int kPipe = 0;
    ::dup2(pipe, kPipe);
    ::syscall(SYS_close_range, kPipe + 1u, ~0u, 0u);
    std::array<pid_t, 1024> words;  // each is written at once, so a read gives whole ones
    for (;;) {
        const ssize_t n = ::read(kPipe, words.data(), sizeof words);
        if (n <= 0) break;  // the end; with all signals blocked there is no EINTR
        for (std::size_t i = 0; i < static_cast<std::size_t>(n) / sizeof(pid_t); ++i) {
            if (words[i] == kEnd) {
                kill_watched();
                ::_exit(0);
            }
            note(words[i]);
        }
    }
    kill_watched();
    ::_exit(0);
}

}  // namespace

Result<std::unique_ptr<Watchdog>> Watchdog::start() {
    int fds[2];
    if (::pipe2(fds, O_CLOEXEC) != 0) return failed("pipe");
    UniqueFd theirs(fds[0]), ours(fds[1]);
    const pid_t pid = ::fork();
    if (pid == 0) be_watchdog(theirs.get());
    if (pid < 0) return failed("fork");
    return std::unique_ptr<Watchdog>(new Watchdog(pid, std::move(ours)));
}

bool Watchdog::tell(pid_t word) const {
    for (;;) {
        const ssize_t n = ::write(pipe_.get(), &word, sizeof word);
        if (n == sizeof word) return true;
        if (n >= 0 || errno != EINTR) return false;
    }
}

// A word, not the end of the pipe: a process between fork and exec may hold a copy of that.
void Watchdog::stop() {
    if (pid_ < 0) return;
    tell(kEnd);
    pipe_.reset();
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {}
    pid_ = -1;
}

}  // namespace drover
