// `drover shell ID`: the main thread waits for keys, signals and output; the phone's loop moves them.
#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <future>
#include <mutex>

#include "cli/command.hpp"
#include "cli/herd.hpp"
#include "cli/opening_stop.hpp"
#include "cli/raw_terminal.hpp"
#include "cli/terminal.hpp"
#include "dispatch/execution.hpp"
#include "dispatch/fleet_impl.hpp"
#include "transfer/interactive_shell.hpp"

namespace drover::cli {
namespace {

struct ShellWords {
    std::string id;
    std::vector<std::string> words;
    Limits limits;
};

transfer::WindowSize window_size() {
    winsize size{};
    if (::ioctl(STDIN_FILENO, TIOCGWINSZ, &size) != 0) return {24, 80, 0, 0};
    return {size.ws_row, size.ws_col, size.ws_xpixel, size.ws_ypixel};
}

// What the loop has for the main thread. Woken by an eventfd.
class Mailbox final : public transfer::InteractiveSink {
public:
    struct Mail {
        std::string out, err;
        bool open = false;
        bool room = false;
        std::optional<Result<std::optional<int>>> end;
    };

    Mailbox() : event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
    ~Mailbox() { ::close(event_); }
    Mailbox(const Mailbox&) = delete;
    Mailbox& operator=(const Mailbox&) = delete;

    int event() const { return event_; }
    Mail take() {
        std::uint64_t count = 0;
        [[maybe_unused]] const auto n = ::read(event_, &count, sizeof count);
        const std::lock_guard lock(mutex_);
        return std::exchange(mail_, {});
    }

private:
    template <class F>
    void put(F&& f) {
        {
            const std::lock_guard lock(mutex_);
            f(mail_);
        }
        const std::uint64_t one = 1;
        [[maybe_unused]] const auto n = ::write(event_, &one, sizeof one);
    }
    void on_open() override {
        put([](Mail& m) { m.open = true; });
    }
    void on_output(OutputStream stream, ByteView bytes) override {
        put([&](Mail& m) { (stream == OutputStream::out ? m.out : m.err) += as_text(bytes); });
    }
    void on_room() override {
        put([](Mail& m) { m.room = true; });
    }
    void on_end(const Result<std::optional<int>>& end) override {
        put([&](Mail& m) { m.end = end; });
    }

    const int event_;
    std::mutex mutex_;
    Mail mail_;
};

// SIGWINCH and what ends this process, as a descriptor. Before any thread is started: they inherit the blocked signals.
class Signals {
public:
    Signals() {
        sigemptyset(&set_);
        for (const int signal : {SIGWINCH, SIGTERM, SIGHUP, SIGINT}) sigaddset(&set_, signal);
        pthread_sigmask(SIG_BLOCK, &set_, nullptr);
        fd_ = ::signalfd(-1, &set_, SFD_CLOEXEC | SFD_NONBLOCK);
    }
    ~Signals() { ::close(fd_); }
    Signals(const Signals&) = delete;
    Signals& operator=(const Signals&) = delete;
    int fd() const { return fd_; }
    int next() const {
        signalfd_siginfo info{};
        return ::read(fd_, &info, sizeof info) == sizeof info ? static_cast<int>(info.ssi_signo) : 0;
    }

private:
    sigset_t set_{};
    int fd_ = -1;
};

class ShellSession {
public:
    ShellSession(Fleet& fleet, std::size_t target, const ShellWords& words, Signals& signals)
        : phone_(*fleet.impl().phones_of({target}).front()), signals_(signals), terminal_(::isatty(STDIN_FILENO) == 1) {
        transfer::InteractiveShell::Options options;
        options.terminal = terminal_;
        options.command = fmt::format("{}", fmt::join(words.words, " "));
        options.size = window_size();
        options.limits = words.limits;
        if (const char* term = std::getenv("TERM"); term && *term && !std::strpbrk(term, ",:")) options.term = term;
        on_loop([&] {
            shell_ = std::make_unique<transfer::InteractiveShell>(phone_, mail_, std::move(options));
            shell_->start();
        });
    }
    ~ShellSession() {
        on_loop([this] { shell_.reset(); });
    }
    ShellSession(const ShellSession&) = delete;
    ShellSession& operator=(const ShellSession&) = delete;

    int run() {
        std::optional<RawTerminal> raw;
        for (;;) {
            std::array<pollfd, 3> fds{{{mail_.event(), POLLIN, 0},
                                       {signals_.fd(), POLLIN, 0},
                                       {input_open_ && room_ ? STDIN_FILENO : -1, POLLIN, 0}}};
            if (::poll(fds.data(), fds.size(), -1) < 0) continue;
            if (fds[1].revents != 0) {
                const int signal = signals_.next();
                if (signal == SIGWINCH) {
                    on_loop([this] { shell_->resize(window_size()); });
                } else if (signal != 0) {
                    return 128 + signal;
                }
            }
            if (fds[0].revents != 0) {
                if (const auto code = take_mail(raw)) return *code;
            }
            if (fds[2].revents != 0 && !read_keys()) return 0;
        }
    }

private:
    template <class F>
    void on_loop(F&& f) {
        std::promise<void> done;
        phone_.loop().post([&] {
            f();
            done.set_value();
        });
        done.get_future().wait();
    }

    std::optional<int> take_mail(std::optional<RawTerminal>& raw) {
        const auto mail = mail_.take();
        // Until then Ctrl-C is not the phone's.
        if (mail.open && terminal_) raw.emplace(STDIN_FILENO);
        if (mail.room) room_ = true;
        const bool lost = !write_all(STDOUT_FILENO, mail.out) || !write_all(STDERR_FILENO, mail.err);
        if (!mail.out.empty() || !mail.err.empty()) on_loop([this] { shell_->acknowledge(); });
        if (!mail.end) return lost ? std::optional(1) : std::nullopt;
        raw.reset();
        if (*mail.end) return mail.end->value().value_or(0);
        const Error& why = mail.end->error();
        return report_error(Error(why.code, dispatch::error_text(why.code, why.message)));
    }

    // False: the user took leave.
    bool read_keys() {
        std::array<char, 4096> buffer;
        const auto n = ::read(STDIN_FILENO, buffer.data(), buffer.size());
        if (n < 0) return true;
        if (n == 0) {
            input_open_ = false;
            on_loop([this] { shell_->end_of_input(); });
            return true;
        }
        std::string keys(buffer.data(), static_cast<std::size_t>(n));
        if (terminal_) keys = escape_.pass(keys);
        room_ = false;  // until the loop says that these are on their way
        on_loop([&] { shell_->type(as_bytes(keys)); });
        return !escape_.leave();
    }

    fleet::Phone& phone_;
    Signals& signals_;
    const bool terminal_;
    Mailbox mail_;
    EscapeKeys escape_;
    bool input_open_ = true;
    bool room_ = true;
    std::unique_ptr<transfer::InteractiveShell> shell_;  // the loop's
};

int shell(const Context& context, const ShellWords& o) {
    ignore_sigpipe();
    Signals signals;
    std::atomic<int> signal = 0;
    Result<std::unique_ptr<Herd>> herd;
    Result<std::vector<std::size_t>> targets;
    {
        const OpeningStop opening(signal);
        herd = open_herd(context, {Phones::now, std::nullopt, o.limits.connect, opening.token()});
        if (herd && (*herd)->fleet()) targets = select_targets(**herd, o.id);
    }
    if (signal != 0) return 128 + signal;
    if (!herd) return report_error(herd.error());
    Fleet* const fleet = (*herd)->fleet();
    if (!fleet) return report_error(direct_only("shell"));
    if (!targets) return report_error(targets.error());
    if (targets->size() != 1) {
        return report_error(Error(targets->empty() ? Code::nothing_matched : Code::usage,
                                  fmt::format("shell: '{}' is {} phones, a shell is for one", o.id, targets->size())));
    }
    return ShellSession(*fleet, targets->front(), o, signals).run();
}

}  // namespace

void add_shell(Program& program, Context& context) {
    auto o = std::make_shared<ShellWords>();
    auto& command = program.add("shell", "A shell on one phone, to type in; ~. at the beginning of a line leaves");
    command.takes_config();
    command.positional("ID", o->id, "the phone, or a selector of one phone", Need::required);
    command.duration("--connect-timeout", o->limits.connect, "until the phone has a link (5s)");
    command.words("COMMAND...", o->words, "a program instead of the shell, with the terminal");
    command.action([o, &context] { return shell(context, *o); });
}

}  // namespace drover::cli
