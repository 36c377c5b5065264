#include "cli/signal_watch.hpp"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/assert.hpp"

namespace drover::cli {
namespace {

sigset_t watched_signals() {
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
        struct sigaction now {};
        if (sigaction(signal, nullptr, &now) == 0 && now.sa_handler != SIG_IGN) sigaddset(&set, signal);
    }
    return set;
}

int wait_ms(std::optional<SignalWatch::TimePoint> late) {
    if (!late) return -1;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(*late - std::chrono::steady_clock::now());
    return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 60'000));
}

}  // namespace

SignalWatch::SignalWatch(OnSignal on_signal, std::function<void()> on_late)
    : on_signal_(std::move(on_signal)), on_late_(std::move(on_late)) {
    const auto watched = watched_signals();
    pthread_sigmask(SIG_BLOCK, &watched, &before_);
    signals_ = ::signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK);
    end_ = ::eventfd(0, EFD_CLOEXEC);
    DROVER_ASSERT(signals_ >= 0 && end_ >= 0);
    thread_ = std::thread([this] { loop(); });
}

SignalWatch::~SignalWatch() {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto n = ::write(end_, &one, sizeof one);
    thread_.join();
    ::close(signals_);
    ::close(end_);
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

void SignalWatch::loop() {
    std::optional<TimePoint> late;
    while (true) {
        std::array<pollfd, 2> fds{{{signals_, POLLIN, 0}, {end_, POLLIN, 0}}};
        const int n = ::poll(fds.data(), fds.size(), wait_ms(late));
        if (n > 0 && fds[1].revents) return;
        signalfd_siginfo info{};
        while (::read(signals_, &info, sizeof info) == sizeof info) {
            if (const auto by = on_signal_(static_cast<int>(info.ssi_signo))) late = by;
        }
        if (late && std::chrono::steady_clock::now() >= *late) {
            on_late_();
            late.reset();
        }
    }
}

}  // namespace drover::cli
