#include "cli/reader_watch.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "base/assert.hpp"

namespace drover::cli {

ReaderWatch::ReaderWatch(std::function<void()> gone) : on_gone_(std::move(gone)), end_(::eventfd(0, EFD_CLOEXEC)) {
    DROVER_ASSERT(end_.get() >= 0);
    thread_ = std::thread([this] { loop(); });
}

ReaderWatch::~ReaderWatch() {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto n = ::write(end_.get(), &one, sizeof one);
    thread_.join();
}

void ReaderWatch::loop() {
    // No events asked for: errors and hang-ups come all the same.
    std::array<pollfd, 2> fds{{{STDOUT_FILENO, 0, 0}, {end_.get(), POLLIN, 0}}};
    while (::poll(fds.data(), fds.size(), -1) < 0) {}
    if (fds[1].revents != 0) return;
    gone_ = true;
    on_gone_();
}

}  // namespace drover::cli
