#include "support/process.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <system_error>
#include <utility>

extern char** environ;

namespace drover::test {
namespace {

constexpr std::chrono::milliseconds kCleanEndMax{5'000};

void check(int error, const char* what) {
    if (error != 0) throw std::system_error(error, std::generic_category(), what);
}

struct Ends {
    int read = -1;
    int write = -1;
};

Ends make_pipe() {
    int fds[2];
    check(::pipe2(fds, O_CLOEXEC) == 0 ? 0 : errno, "pipe2");
    return {fds[0], fds[1]};
}

void close_fd(int& fd) {
    if (fd >= 0) ::close(fd);
    fd = -1;
}

void set_nonblocking(int fd) { ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK); }

std::vector<std::string> changed_environment(const std::map<std::string, std::optional<std::string>>& changes) {
    std::vector<std::string> result;
    for (char** e = environ; *e; ++e) {
        const std::string_view entry = *e;
        if (!changes.contains(std::string(entry.substr(0, entry.find('='))))) result.emplace_back(entry);
    }
    for (const auto& [name, value] : changes) {
        if (value) result.push_back(name + "=" + *value);
    }
    return result;
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
    std::vector<char*> result;
    for (auto& s : strings) result.push_back(s.data());
    result.push_back(nullptr);
    return result;
}

// posix_spawn is safe in a process with threads, also under TSan.
pid_t spawn(const ProcessOptions& options, int in, int out, int err) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    check(posix_spawn_file_actions_init(&actions), "posix_spawn");
    check(posix_spawnattr_init(&attributes), "posix_spawn");
    if (in >= 0) {
        posix_spawn_file_actions_adddup2(&actions, in, 0);
    } else {
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    }
    posix_spawn_file_actions_adddup2(&actions, out, 1);
    posix_spawn_file_actions_adddup2(&actions, err, 2);
    posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    if (!options.cwd.empty()) posix_spawn_file_actions_addchdir_np(&actions, options.cwd.c_str());

    // The test's own signal mask and ignored signals must not leak into what is tested.
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    sigdelset(&all, SIGKILL);
    sigdelset(&all, SIGSTOP);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);

    // A test that is killed leaves nothing behind: its death kills the child, which setpriv (util-linux) arranges.
    std::vector<std::string> words{"/usr/bin/setpriv", "--pdeathsig", "KILL", "--"};
    words.insert(words.end(), options.argv.begin(), options.argv.end());
    auto environment = changed_environment(options.env);
    const auto argv = pointers(words);
    const auto envp = pointers(environment);
    pid_t pid = -1;
    const int error = posix_spawnp(&pid, argv[0], &actions, &attributes, argv.data(), envp.data());
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    check(error, "setpriv");
    return pid;
}

// What a sanitizer found in the child fails the test, whatever else that looks at.
void tell_findings(std::string_view program, const std::string& err) {
    for (const char* finding : {"ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "WARNING: ThreadSanitizer",
                                "FATAL: ThreadSanitizer", ": runtime error: "}) {
        if (err.find(finding) == std::string::npos) continue;
        ADD_FAILURE() << "a sanitizer found something in " << program << ":\n" << err;
        return;
    }
}

}  // namespace

Process::Process(ProcessOptions options) : kept_max_(options.output_kept_bytes) {
    if (options.argv.empty()) check(EINVAL, "empty argv");
    const auto& program = program_ = options.argv[0];
    if (program.find('/') != std::string::npos && ::access(program.c_str(), X_OK) != 0) check(errno, program.c_str());
    Ends in, out = make_pipe(), err = make_pipe();
    if (options.input) in = make_pipe();
    const auto close_child_ends = [&] {
        close_fd(in.read);
        close_fd(out.write);
        close_fd(err.write);
    };
    try {
        pid_ = spawn(options, in.read, out.write, err.write);
    } catch (...) {
        close_child_ends();
        for (int fd : {in.write, out.read, err.read}) close_fd(fd);
        throw;
    }
    close_child_ends();
    out_.fd = out.read;
    err_.fd = err.read;
    in_ = in.write;
    if (options.input) input_ = std::move(*options.input);
    for (int fd : {out_.fd, err_.fd, in_}) {
        if (fd >= 0) set_nonblocking(fd);
    }
    pidfd_ = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
    if (pidfd_ < 0) {
        const int error = errno;
        ::kill(-pid_, SIGKILL);
        reap();
        check(error, "pidfd_open");
    }
}

Process::~Process() {
    // Only a child that ends by itself writes the counters of a coverage build.
    if (!status_ && std::getenv("DROVER_TEST_CLEAN_ENDS") != nullptr) {
        signal(SIGTERM);
        wait(kCleanEndMax);
    }
    // The group may outlive its leader: what the child left behind ends here too.
    ::kill(-pid_, SIGKILL);
    if (!status_) reap();
    drain(err_);
    tell_findings(program_, err_.text);
    close_fd(pidfd_);
    close_fd(in_);
    close_fd(out_.fd);
    close_fd(err_.fd);
}

void Process::signal(int number) {
    if (!status_) ::kill(pid_, number);
}

bool Process::freeze() const {
    if (status_ || ::kill(pid_, SIGSTOP) != 0) return false;
    siginfo_t info{};
    int done = -1;
    do {
        done = ::waitid(P_PID, static_cast<id_t>(pid_), &info, WSTOPPED | WEXITED | WNOWAIT);
    } while (done < 0 && errno == EINTR);
    return done == 0 && info.si_code == CLD_STOPPED;
}

void Process::reap() {
    int raw = 0;
    while (::waitpid(pid_, &raw, 0) < 0 && errno == EINTR) {}
    ExitStatus status;
    if (WIFEXITED(raw)) status.code = WEXITSTATUS(raw);
    if (WIFSIGNALED(raw)) status.signal = WTERMSIG(raw);
    status_ = status;
}

void Process::drain(Pipe& pipe) {
    std::array<char, 64 * 1024> buffer;
    while (pipe.fd >= 0) {
        const ssize_t n = ::read(pipe.fd, buffer.data(), buffer.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) return;
        if (n <= 0) return close_fd(pipe.fd);
        const auto size = static_cast<std::size_t>(n);
        pipe.bytes += size;
        if (pipe.text.size() < kept_max_) pipe.text.append(buffer.data(), std::min(size, kept_max_ - pipe.text.size()));
    }
}

void Process::feed() {
    // SIGPIPE of a child that reads nothing must not end the test: blocked for this thread, and taken back if it came.
    sigset_t pipe_only, before;
    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_only, &before);
    while (fed_ < input_.size()) {
        const ssize_t n = ::write(in_, input_.data() + fed_, input_.size() - fed_);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) break;
        if (n < 0) {
            const timespec now{};
            sigtimedwait(&pipe_only, nullptr, &now);
            fed_ = input_.size();
            break;
        }
        fed_ += static_cast<std::size_t>(n);
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (fed_ == input_.size()) close_fd(in_);
}

bool Process::step(Deadline deadline) {
    std::array<pollfd, 4> fds{{{pidfd_, POLLIN, 0}, {out_.fd, POLLIN, 0}, {err_.fd, POLLIN, 0}, {in_, POLLOUT, 0}}};
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    const auto wait_ms = std::clamp<std::int64_t>(left.count(), 0, 600'000);
    const int n = ::poll(fds.data(), fds.size(), static_cast<int>(wait_ms));
    if (n < 0 && errno != EINTR) check(errno, "poll");
    if (n == 0) return left.count() > 0;
    if (n < 0) return true;
    const bool ended = fds[0].revents != 0;
    if (in_ >= 0 && fds[3].revents) feed();
    // Once the child has ended, all it wrote is in the pipes; a grandchild that still holds them is not waited for.
    if (ended || fds[1].revents) drain(out_);
    if (ended || fds[2].revents) drain(err_);
    if (ended) reap();
    return true;
}

std::optional<ExitStatus> Process::wait(std::chrono::milliseconds limit) {
    const auto deadline = std::chrono::steady_clock::now() + limit;
    while (!status_ && step(deadline)) {}
    return status_;
}

std::optional<std::string> Process::find_line(Pipe& pipe, std::string_view part, std::chrono::milliseconds limit) {
    const auto deadline = std::chrono::steady_clock::now() + limit;
    std::size_t from = 0;
    while (true) {
        for (std::size_t end; (end = pipe.text.find('\n', from)) != std::string::npos; from = end + 1) {
            const auto line = std::string_view(pipe.text).substr(from, end - from);
            if (line.find(part) != std::string_view::npos) return std::string(line);
        }
        if (status_ || !step(deadline)) return std::nullopt;
    }
}

std::optional<std::string> Process::wait_for_line(std::string_view part, std::chrono::milliseconds limit) {
    return find_line(out_, part, limit);
}

std::optional<std::string> Process::wait_for_error_line(std::string_view part, std::chrono::milliseconds limit) {
    return find_line(err_, part, limit);
}

int Finished::code() const {
    if (status.code) return *status.code;
    return status.signal ? 128 + *status.signal : -1;
}

Finished run(ProcessOptions options, std::chrono::milliseconds limit) {
    Process process(std::move(options));
    const auto status = process.wait(limit);
    return {status.value_or(ExitStatus{}), process.out(), process.err()};
}

}  // namespace drover::test
