#include "pty_process.hpp"

#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace drover::test {

PtyProcess::PtyProcess(std::vector<std::string> argv) {
    std::vector<char*> pointers;
    for (auto& word : argv) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    winsize size{};
    size.ws_col = 100;
    size.ws_row = 40;
    pid_ = ::forkpty(&fd_, nullptr, nullptr, &size);
    if (pid_ < 0) throw std::system_error(errno, std::generic_category(), "forkpty");
    if (pid_ == 0) {
        // A test that runs in the background of a shell ignores SIGINT; its child must not inherit that.
        for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) ::signal(signal, SIG_DFL);
        ::unsetenv("NO_COLOR");
        ::setenv("TERM", "xterm", 1);
        ::unsetenv("DROVER_INVENTORY");
        ::execv(pointers[0], pointers.data());
        ::_exit(127);
    }
}

PtyProcess::~PtyProcess() {
    if (!reaped_) {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    ::close(fd_);
}

bool PtyProcess::read_some(std::chrono::steady_clock::time_point deadline) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd ready{fd_, POLLIN, 0};
    if (left.count() <= 0 || ::poll(&ready, 1, static_cast<int>(left.count())) <= 0) return false;
    std::array<char, 4096> buffer;
    const auto n = ::read(fd_, buffer.data(), buffer.size());  // EIO: the program has closed its side
    if (n <= 0) return false;
    shown_.append(buffer.data(), static_cast<std::size_t>(n));
    return true;
}

bool PtyProcess::wait_for(std::string_view part) {
    const auto deadline = std::chrono::steady_clock::now() + kWaitMax;
    while (true) {
        if (const auto at = shown_.find(part, seen_); at != std::string::npos) {
            seen_ = at + part.size();
            return true;
        }
        if (!read_some(deadline)) return false;
    }
}

void PtyProcess::type(std::string_view keys) { [[maybe_unused]] const auto n = ::write(fd_, keys.data(), keys.size()); }

ExitStatus PtyProcess::wait() {
    const auto deadline = std::chrono::steady_clock::now() + kWaitMax;
    while (read_some(deadline)) {}
    if (std::chrono::steady_clock::now() >= deadline) ::kill(pid_, SIGKILL);
    int raw = 0;
    ::waitpid(pid_, &raw, 0);
    reaped_ = true;
    ExitStatus status;
    if (WIFEXITED(raw)) status.code = WEXITSTATUS(raw);
    if (WIFSIGNALED(raw)) status.signal = WTERMSIG(raw);
    return status;
}

}  // namespace drover::test
