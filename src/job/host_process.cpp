#include "job/host_process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/readable_pipe.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/optional.hpp>
#include <boost/type_traits.hpp>
#include <cerrno>
#include <cstdlib>
#include <map>
#include <utility>
// Boost.Process 1.81 does not include all it needs: the two above stand before it.
#define BOOST_PROCESS_USE_STD_FS 1
#include <boost/process/v2/process.hpp>
#include <boost/process/v2/start_dir.hpp>
#include <boost/process/v2/stdio.hpp>

namespace drover::job {
namespace {

namespace asio = boost::asio;
namespace bp = boost::process::v2;

// In the child, before it becomes the program. Boost.Process knows no process groups; the program and all it starts are one, so
// that they end together, also with a drover that is killed, and it has the signals of a fresh process.
struct OwnGroup {
    const Watchdog& watchdog;
    const pid_t parent = ::getpid();  // it is made there

    template <class Launcher>
    boost::system::error_code on_exec_setup(Launcher&, const std::filesystem::path&, const char* const*&) const {
        ::setpgid(0, 0);
        // By the child itself: there is no moment when it runs and nobody would end it. Where somebody ended the watchdog, the
        // kernel still ends this one process.
        (void)watchdog.watch(::getpid());
        ::prctl(PR_SET_PDEATHSIG, SIGTERM);
        if (::getppid() != parent) ::_exit(EXIT_FAILURE);  // it died before that
        sigset_t none;
        sigemptyset(&none);
        ::sigprocmask(SIG_SETMASK, &none, nullptr);
        ::signal(SIGPIPE, SIG_DFL);
        return {};
    }
};

// The program has its three and no other descriptor of drover's.
void close_others_on_exec() {
    constexpr unsigned kFirst = STDERR_FILENO + 1;
    if (::close_range(kFirst, ~0U, CLOSE_RANGE_CLOEXEC) == 0) return;
    const auto most = static_cast<int>(::sysconf(_SC_OPEN_MAX));
    for (int fd = kFirst; fd < most; ++fd) ::fcntl(fd, F_SETFD, FD_CLOEXEC);
}

// Boost.Process's own launcher allocates in the child: it tells every service of the io_context of the fork, and reads a
// directory. Other threads may hold the allocator's lock in that moment, and AddressSanitizer's is never let go then. All that
// this one needs is made before the fork.
class Launcher : public bp::posix::default_launcher {
public:
    explicit Launcher(const char* const* environment) { env = environment; }

    template <class... Inits>
    boost::system::error_code start(const std::filesystem::path& program, const std::vector<std::string>& arguments,
                                    Inits&&... inits) {
        auto argv = build_argv_(program, arguments);
        pipe_guard told;  // errno, where there is no program in the end
        if (::pipe2(told.p, O_CLOEXEC) != 0) return last_error();
        if (const auto error = bp::posix::detail::on_setup(*this, program, argv, inits...)) return error;
        pid = ::fork();
        if (pid == -1) return last_error();
        if (pid == 0) {
            if (const auto error = bp::posix::detail::on_exec_setup(*this, program, argv, inits...)) {
                errno = error.value();
            } else {
                close_others_on_exec();
                ::execve(program.c_str(), const_cast<char* const*>(argv), const_cast<char* const*>(env));
            }
            const int why = errno;
            (void)!::write(told.p[1], &why, sizeof why);
            ::_exit(EXIT_FAILURE);
        }
        ::close(std::exchange(told.p[1], -1));
        int why = 0;
        ssize_t count = 0;
        while ((count = ::read(told.p[0], &why, sizeof why)) < 0 && errno == EINTR) {}
        if (count <= 0) return {};
        ::waitpid(pid, nullptr, 0);
        return {why, boost::system::system_category()};
    }

private:
    static boost::system::error_code last_error() { return {errno, boost::system::system_category()}; }
};

// As a shell finds it: a name with a '/' is a path, any other is looked up in PATH.
std::filesystem::path find_program(const std::string& name, const std::filesystem::path& cwd) {
    if (name.find('/') != std::string::npos) return cwd.empty() ? std::filesystem::path(name) : cwd / name;
    const char* path = std::getenv("PATH");
    std::string_view rest = path ? path : "/usr/bin:/bin";
    while (!rest.empty()) {
        const auto end = rest.find(':');
        auto candidate = std::filesystem::path(rest.substr(0, end)) / name;
        if (::access(candidate.c_str(), X_OK) == 0 && !std::filesystem::is_directory(candidate)) return candidate;
        if (end == std::string_view::npos) break;
        rest.remove_prefix(end + 1);
    }
    return {};
}

std::vector<std::string> environment_of(const std::vector<std::pair<std::string, std::string>>& changes) {
    std::map<std::string, std::string> all;
    for (char** entry = environ; entry && *entry; ++entry) {
        const std::string_view text = *entry;
        const auto equals = text.find('=');
        if (equals != std::string_view::npos) all[std::string(text.substr(0, equals))] = text.substr(equals + 1);
    }
    for (const auto& [name, value] : changes) all[name] = value;
    std::vector<std::string> out;
    for (const auto& [name, value] : all) out.push_back(fmt::format("{}={}", name, value));
    return out;
}

}  // namespace

struct HostProcess::State {
    explicit State(asio::io_context& io) : pipes{asio::readable_pipe(io), asio::readable_pipe(io)}, timer(io) {}
    std::array<asio::readable_pipe, 2> pipes;
    std::array<std::array<char, HostRunner::kPieceBytesMax>, 2> buffers{};
    std::array<bool, 2> open{true, true};
    asio::steady_timer timer;
    std::optional<bp::process> process;
    pid_t group = -1;
    std::optional<int> status;
    bool terminating = false;
    bool drained = false;  // waited long enough for the rest of the output
};

HostProcess::HostProcess(asio::io_context& io, HostCommand command, std::shared_ptr<HostListener> listener)
    : io_(io), command_(std::move(command)), listener_(std::move(listener)) {}

HostProcess::~HostProcess() = default;

void HostProcess::begin(const Watchdog& watchdog, Done done) {
    watchdog_ = &watchdog;
    done_ = std::move(done);
    if (terminate_asked_) return end(fail(Code::host_program, "ended before it began"));
    state_ = std::make_unique<State>(io_);
    if (const auto spawned = spawn(); !spawned) return end(tl::unexpected(spawned.error()));
    state_->process->async_wait(
        [self = shared_from_this()](const boost::system::error_code&, int) { self->on_exit(); });
    read(0);
    read(1);
}

void HostProcess::refuse(const Error& why) { listener_->on_end(tl::unexpected(why)); }

Result<void> HostProcess::spawn() {
    const auto program = find_program(command_.argv.front(), command_.cwd);
    if (program.empty())
        return fail(Code::host_program, fmt::format("there is no program '{}' in PATH", command_.argv.front()));
    const std::vector<std::string> arguments(command_.argv.begin() + 1, command_.argv.end());
    bp::process_stdio stdio{nullptr, state_->pipes[0], state_->pipes[1]};
    const auto environment = environment_of(command_.env);
    std::vector<const char*> pointers;
    for (const auto& entry : environment) pointers.push_back(entry.c_str());
    pointers.push_back(nullptr);
    const auto cwd = command_.cwd.empty() ? std::filesystem::current_path() : command_.cwd;
    Launcher launcher(pointers.data());
    const auto failed = [&](const boost::system::error_code& error) {
        if (launcher.pid > 0) watchdog_->forget(launcher.pid);
        return fail(Code::host_program, fmt::format("{}: {}", command_.argv.front(), error.message()));
    };
    if (const auto error = launcher.start(program, arguments, stdio, bp::process_start_dir(cwd), OwnGroup{*watchdog_}))
        return failed(error);
    try {
        state_->process.emplace(io_.get_executor(), launcher.pid);
    } catch (const boost::system::system_error& e) {  // no descriptor is left to wait with
        ::kill(-launcher.pid, SIGKILL);
        ::waitpid(launcher.pid, nullptr, 0);
        return failed(e.code());
    }
    state_->group = state_->process->id();
    return {};
}

void HostProcess::read(std::size_t stream) {
    auto& pipe = state_->pipes[stream];
    pipe.async_read_some(
        asio::buffer(state_->buffers[stream]),
        [self = shared_from_this(), stream](const boost::system::error_code& error, std::size_t bytes) {
            if (self->ended_) return;
            if (error) {
                self->state_->open[stream] = false;
                return self->end_if_over();
            }
            auto more = [self, stream] {
                asio::post(self->io_, [self, stream] {
                    if (!self->ended_) self->read(stream);
                });
            };
            self->listener_->on_output(stream == 0 ? OutputStream::out : OutputStream::err,
                                       std::string(self->state_->buffers[stream].data(), bytes), std::move(more));
        });
}

void HostProcess::terminate() {
    asio::post(io_, [self = shared_from_this()] {
        self->terminate_asked_ = true;
        if (self->ended_ || !self->state_ || !self->state_->process || self->state_->terminating) return;
        auto& state = *self->state_;
        state.terminating = true;
        if (state.status) return;
        ::kill(-state.group, SIGTERM);
        state.timer.expires_after(HostRunner::kTermGrace);
        state.timer.async_wait([self](const boost::system::error_code& error) {
            if (!error && !self->ended_ && !self->state_->status) ::kill(-self->state_->group, SIGKILL);
        });
    });
}

void HostProcess::on_exit() {
    auto& state = *state_;
    // As wait(2) gives it: what the handler is told makes no difference between exit code 9 and SIGKILL.
    state.status = state.process->native_exit_code();
    // It is reaped: its destructor shall not look for that pid again.
    state.process->detach();
    // Children that did not take the hint.
    if (state.terminating) ::kill(-state.group, SIGKILL);
    // What it left running is no longer ours; and the number may be another's soon.
    watchdog_->forget(state.group);
    state.timer.expires_after(HostRunner::kDrainMax);
    state.timer.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
        if (error || self->ended_) return;
        self->state_->drained = true;
        self->end_if_over();
    });
    end_if_over();
}

void HostProcess::end_if_over() {
    const auto& state = *state_;
    if (ended_ || !state.status || (!state.drained && (state.open[0] || state.open[1]))) return;
    const int status = *state.status;
    end(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
}

void HostProcess::end(const Result<int>& exit) {
    ended_ = true;
    if (state_) {
        state_->timer.cancel();
        boost::system::error_code ignored;
        for (auto& pipe : state_->pipes) pipe.close(ignored);
    }
    // Not here: the caller may still be inside one of its parts.
    asio::post(io_, [state = std::shared_ptr<State>(std::move(state_))] {});
    listener_->on_end(exit);
    if (auto done = std::exchange(done_, {})) done(shared_from_this());
}

}  // namespace drover::job
