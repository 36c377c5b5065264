#include "cli/service_signals.hpp"

#include <csignal>
#include <utility>

namespace drover::cli {

ServiceSignals::~ServiceSignals() {
    // Clearing the set would let a SIGHUP kill the process on its last steps. Blocked, it waits; ignored, it is thrown away.
    sigset_t hangup;
    sigemptyset(&hangup);
    sigaddset(&hangup, SIGHUP);
    ::pthread_sigmask(SIG_BLOCK, &hangup, nullptr);
    boost::system::error_code ignored;
    set_.clear(ignored);
    ::signal(SIGHUP, SIG_IGN);
    ::pthread_sigmask(SIG_UNBLOCK, &hangup, nullptr);
}

void ServiceSignals::wait(std::function<void()> on_reload) {
    on_reload_ = std::move(on_reload);
    wait_for_next();
}

void ServiceSignals::wait_for_next() {
    set_.async_wait([this](const boost::system::error_code& error, int signal) {
        if (error) return;
        if (signal != SIGHUP) return io_.stop();
        on_reload_();
        wait_for_next();
    });
}

void ServiceSignals::stopping() {
    boost::system::error_code ignored;
    set_.remove(SIGINT, ignored);
    set_.remove(SIGTERM, ignored);
}

}  // namespace drover::cli
