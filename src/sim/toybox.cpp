#include "sim/toybox.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <sstream>

#include "base/unique_fd.hpp"

namespace drover::sim {
namespace {

constexpr std::size_t kListBytesMax = 64 * 1024;
constexpr std::chrono::seconds kWaitMax{10};

// All that is printed; nothing when it is too much or takes too long.
std::string read_all(int fd) {
    const auto deadline = std::chrono::steady_clock::now() + kWaitMax;
    std::string text;
    std::array<char, 4096> piece;
    while (text.size() <= kListBytesMax) {
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
        pollfd p{fd, POLLIN, 0};
        if (left.count() <= 0) return {};
        if (::poll(&p, 1, static_cast<int>(left.count())) <= 0) continue;
        const ssize_t n = ::read(fd, piece.data(), piece.size());
        if (n == 0) return text;
        if (n < 0) return {};
        text.append(piece.data(), static_cast<std::size_t>(n));
    }
    return {};
}

}  // namespace

Result<std::set<std::string>> toybox_applets(const std::string& path) {
    int fds[2];
    if (::pipe2(fds, O_CLOEXEC) != 0) return fail(Code::out_of_resources, std::string("pipe: ") + std::strerror(errno));
    UniqueFd reader(fds[0]), writer(fds[1]);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions, writer.get(), 1);
    ::posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    std::string name = "toybox";
    char* argv[] = {name.data(), nullptr};
    char* envp[] = {nullptr};
    pid_t pid = -1;
    const int error = ::posix_spawn(&pid, path.c_str(), &actions, nullptr, argv, envp);
    ::posix_spawn_file_actions_destroy(&actions);
    if (error != 0) return fail(Code::out_of_resources, path + ": " + std::strerror(error));
    writer.reset();
    std::istringstream words(read_all(reader.get()));
    ::kill(pid, SIGKILL);  // it has ended, or it is of no use
    ::waitpid(pid, nullptr, 0);
    std::set<std::string> applets;
    for (std::string word; words >> word;) applets.insert(word);
    if (applets.empty()) return fail(Code::not_supported, path + " does not say what it can do");
    return applets;
}

}  // namespace drover::sim
