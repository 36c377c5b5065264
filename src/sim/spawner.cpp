#include "sim/spawner.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "sim/os_error.hpp"

namespace drover::sim {
namespace {

struct Ends {
    UniqueFd child_in, child_out, child_err;
    UniqueFd in, out, err;
};

Result<std::pair<UniqueFd, UniqueFd>> make_pipe() {
    int fds[2];
    if (::pipe2(fds, O_CLOEXEC) != 0) return tl::unexpected(os_error("pipe"));
    return std::pair(UniqueFd(fds[0]), UniqueFd(fds[1]));
}

bool set_nonblocking(int fd) { return ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK) == 0; }

Result<Ends> make_pty() {
    Ends ends;
    ends.out = UniqueFd(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
    std::array<char, 64> name{};
    if (!ends.out || ::grantpt(ends.out.get()) != 0 || ::unlockpt(ends.out.get()) != 0 ||
        ::ptsname_r(ends.out.get(), name.data(), name.size()) != 0) {
        return tl::unexpected(os_error("terminal"));
    }
    ends.child_in = UniqueFd(::open(name.data(), O_RDWR | O_NOCTTY | O_CLOEXEC));
    ends.in = UniqueFd(::fcntl(ends.out.get(), F_DUPFD_CLOEXEC, 0));
    if (!ends.child_in || !ends.in || !set_nonblocking(ends.out.get())) return tl::unexpected(os_error("terminal"));
    return ends;
}

Result<Ends> make_pipes(bool merge_stderr) {
    Ends ends;
    auto in = make_pipe();
    if (!in) return tl::unexpected(in.error());
    ends.child_in = std::move(in->first);
    ends.in = std::move(in->second);
    auto out = make_pipe();
    if (!out) return tl::unexpected(out.error());
    ends.out = std::move(out->first);
    ends.child_out = std::move(out->second);
    if (!merge_stderr) {
        auto err = make_pipe();
        if (!err) return tl::unexpected(err.error());
        ends.err = std::move(err->first);
        ends.child_err = std::move(err->second);
        set_nonblocking(ends.err.get());
    }
    if (!set_nonblocking(ends.in.get()) || !set_nonblocking(ends.out.get())) return tl::unexpected(os_error("pipe"));
    return ends;
}

// Everything the child needs, made before fork.
struct Launch {
    const char* path;
    const char* directory;
    char* const* argv;
    char* const* envp;
    int in, out, err;
    bool pty;
    const Watchdog* watchdog;
    Sandbox sandbox;
};

[[noreturn]] void give_up(const char* step) {
    const char head[] = "drover sim: this host refused ";
    if (::write(2, head, sizeof head - 1) < 0 || ::write(2, step, std::strlen(step)) < 0 || ::write(2, "\n", 1) < 0)
        ::_exit(126);
    ::_exit(126);
}

// The child: system calls only, see sandbox.hpp.
[[noreturn]] void become_command(const Launch& launch) {
    ::setsid();
    ::dup2(launch.in, 0);
    ::dup2(launch.out, 1);
    ::dup2(launch.err, 2);
    if (launch.pty) ::ioctl(0, TIOCSCTTY, 0);
    // By the child itself: there is no moment when it runs and the watchdog does not know.
    if (!launch.watchdog->watch(::getpid())) give_up("the watchdog, which is gone");
    constexpr unsigned kCloseOnExec = 1u << 2;
    ::syscall(SYS_close_range, 3u, ~0u, kCloseOnExec);  // ours are close-on-exec already; a library's may not be
    for (int signal = 1; signal < 65; ++signal) ::signal(signal, SIG_DFL);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    if (const char* failed = enter(launch.sandbox); failed != nullptr) give_up(failed);
    if (::chdir(launch.directory) != 0) give_up("the phone's directory");
    ::execve(launch.path, launch.argv, launch.envp);
    give_up("to start mksh");
}

// Android's absolute paths stand for the phone's own directory, where a word of the command begins with them.
std::string with_own_paths(const std::string& command, const std::string& directory) {
    constexpr std::string_view kPaths[] = {"/data/local/tmp", "/sdcard"};
    constexpr std::string_view kBefore = " \t\n'\"=<>|&;(:", kAfter = "/ \t\n'\"<>|&;):";
    std::string out;
    for (std::size_t at = 0; at < command.size();) {
        const auto path = std::find_if(std::begin(kPaths), std::end(kPaths), [&](std::string_view p) {
            return command.compare(at, p.size(), p) == 0 &&
                   (at == 0 || kBefore.find(command[at - 1]) != std::string_view::npos) &&
                   (at + p.size() == command.size() || kAfter.find(command[at + p.size()]) != std::string_view::npos);
        });
        if (path == std::end(kPaths)) {
            out += command[at++];
        } else {
            out.append(directory).append(*path);
            at += path->size();
        }
    }
    return out;
}

std::vector<std::string> environment(const Userland& userland, const Home& home, const SpawnRequest& request) {
    const std::string& d = home.directory();
    return {"PATH=" + userland.bin(),
            "HOME=" + d,
            "VPHONE=" + d,
            "TMPDIR=" + d + "/tmp",
            "ANDROID_DATA=" + d + "/data",
            "EXTERNAL_STORAGE=" + d + "/sdcard",
            "SHELL=" + userland.bin() + "/sh",
            "TERM=" + request.term,
            "USER=shell",
            "LOGNAME=shell",
            "HOSTNAME=" + request.id,
            "PS1=" + request.id + ":$ "};
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> out;
    for (auto& text : texts) out.push_back(text.data());
    out.push_back(nullptr);
    return out;
}

}  // namespace

Spawner::Spawner(std::shared_ptr<Userland> userland, std::unique_ptr<Watchdog> watchdog)
    : userland_(std::move(userland)), watchdog_(std::move(watchdog)), thread_([this] { run(); }) {}

void Spawner::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_one();
    if (thread_.joinable()) thread_.join();
    if (watchdog_) watchdog_->stop();
    disk_.stop();
}

void Spawner::push(std::function<void()> job) {
    {
        const std::lock_guard lock(mutex_);
        if (stopping_) return;
        jobs_.push_back(std::move(job));
    }
    wake_.notify_one();
}

void Spawner::run() {
    std::unique_lock lock(mutex_);
    for (;;) {
        wake_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
        if (stopping_) break;
        auto job = std::move(jobs_.front());
        jobs_.pop_front();
        lock.unlock();
        job();
        job = nullptr;
        lock.lock();
    }
    jobs_.clear();
    for (const pid_t pid : living_) ::kill(pid, SIGKILL);  // all at once; they need not die one after another
    for (const pid_t pid : living_) end(pid);
}

void Spawner::end(pid_t pid) {
    // First the leader by itself: it may not have come to make its group yet.
    ::kill(pid, SIGKILL);
    ::kill(-pid, SIGKILL);
    siginfo_t info{};
    while (::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT) != 0 && errno == EINTR) {}
    watchdog_->forget(pid);  // after its own word to the watchdog, and while the number is still its
    ::waitpid(pid, nullptr, 0);
}

void Spawner::spawn(SpawnRequest request, Loop& loop, Done done) {
    push([this, request = std::move(request), &loop, done = std::move(done)]() mutable {
        auto child = std::make_shared<Result<Child>>(start(request));
        loop.post([child, done = std::move(done)] { done(std::move(*child)); });
    });
}

void Spawner::place(SpawnRequest request, Loop& loop, std::function<void(Result<Place>)> done) {
    push([this, request = std::move(request), &loop, done = std::move(done)]() mutable {
        auto place = std::make_shared<Result<Place>>(place_of(request));
        loop.post([place, done = std::move(done)] { done(std::move(*place)); });
    });
}

Result<Place> Spawner::place_of(const SpawnRequest& request) {
    if (!userland_->refusal().empty()) return fail(Code::not_supported, userland_->refusal());
    auto home = userland_->home(request.id, request.number, request.properties, request.packages);
    if (!home) return tl::unexpected(home.error());
    const Sandbox sandbox = userland_->sandbox(**home, -1);
    return Place{*home, sandbox.drop_user ? std::optional(sandbox.uid) : std::nullopt};
}

void Spawner::bury(pid_t pid) {
    push([this, pid] {
        end(pid);
        living_.erase(pid);
    });
}

Result<Child> Spawner::start(const SpawnRequest& request) {
    if (!userland_->refusal().empty()) return fail(Code::not_supported, userland_->refusal());
    auto home = userland_->home(request.id, request.number, request.properties, request.packages);
    if (!home) return tl::unexpected(home.error());
    if (auto room = userland_->check_room(**home); !room) return tl::unexpected(room.error());
    auto ruleset = userland_->ruleset(**home);
    if (!ruleset) return tl::unexpected(ruleset.error());
    auto ends = request.pty ? make_pty() : make_pipes(request.merge_stderr);
    if (!ends) return tl::unexpected(ends.error());

    std::vector<std::string> args = {"sh"};
    if (!request.command.empty())
        args.insert(args.end(), {"-c", with_own_paths(request.command, (*home)->directory())});
    std::vector<std::string> env = environment(*userland_, **home, request);
    const auto argv = pointers(args);
    const auto envp = pointers(env);
    Launch launch{};
    launch.path = userland_->shell().c_str();
    launch.directory = (*home)->directory().c_str();
    launch.argv = argv.data();
    launch.envp = envp.data();
    launch.in = ends->child_in.get();
    launch.out = request.pty ? launch.in : ends->child_out.get();
    launch.err = ends->child_err ? ends->child_err.get() : launch.out;
    launch.pty = request.pty;
    launch.watchdog = watchdog_.get();
    launch.sandbox = userland_->sandbox(**home, ruleset->get());

    const pid_t pid = ::fork();
    if (pid == 0) become_command(launch);
    if (pid < 0) return tl::unexpected(os_error("fork"));
    living_.insert(pid);
    Child child;
    child.pid = pid;
    child.pidfd = UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    child.in = std::move(ends->in);
    child.out = std::move(ends->out);
    child.err = std::move(ends->err);
    child.home = *home;
    if (!child.pidfd) {
        const Error error = os_error("pidfd");
        end(pid);
        living_.erase(pid);
        return tl::unexpected(error);
    }
    return child;
}

}  // namespace drover::sim
