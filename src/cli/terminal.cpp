#include "cli/terminal.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

namespace drover::cli {

void ignore_sigpipe() {
    struct sigaction ignore {};
    ignore.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &ignore, nullptr);
    sigaction(SIGXFSZ, &ignore, nullptr);  // a file at its size limit is an error of write(2) too
}

void keep_standard_streams_open() {
    for (const int fd : {0, 1, 2}) {
        if (::fcntl(fd, F_GETFD) != -1 || errno != EBADF) continue;
        // The wrong way round on purpose: reading or writing a stream that was not given stays an error. The lowest free
        // descriptor is this one.
        if (::open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) < 0) return;
    }
}

bool write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        const auto n = ::write(fd, text.data(), text.size());
        if (n >= 0) {
            text.remove_prefix(static_cast<std::size_t>(n));
        } else if (errno == EAGAIN) {
            pollfd ready{fd, POLLOUT, 0};  // whoever gave us the pipe made it non-blocking
            ::poll(&ready, 1, -1);
        } else if (errno != EINTR) {
            return false;
        }
    }
    return true;
}

void say(std::string_view line) { write_all(STDERR_FILENO, std::string(line) + "\n"); }

bool is_writable(int fd) {
    const int flags = ::fcntl(fd, F_GETFL);
    return flags != -1 && (flags & O_ACCMODE) != O_RDONLY;
}

bool is_terminal(int fd) { return ::isatty(fd) == 1; }

std::size_t terminal_width(int fd) {
    winsize size{};
    return ::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

int ResultStream::exit_code() const {
    if (!why_.empty()) say("drover: " + why_);
    return lost_ ? 1 : 0;
}

void ResultStream::write(std::string_view text) {
    if (lost_ || write_all(STDOUT_FILENO, text)) return;
    lost_ = true;
    if (errno != EPIPE) why_ = std::string("cannot write the results: ") + std::strerror(errno);
}

}  // namespace drover::cli
