#include "cli/service_signals.hpp"

#include <csignal>
#include <thread>
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

void ServiceSignals::hear_while(const std::function<void(std::stop_token)>& opening) {
    wait_for_next();
    std::thread ears([this] { io_.run(); });
    opening(stopped_.get_token());
    io_.stop();
    ears.join();
    io_.restart();
}

void ServiceSignals::wait(std::function<void()> on_reload) {
    on_reload_ = std::move(on_reload);
    if (told_to_stop()) return io_.stop();
    if (reload_wanted_) on_reload_();
}

void ServiceSignals::wait_for_next() {
    set_.async_wait([this](const boost::system::error_code& error, int signal) {
        if (error) return;
        on_signal(signal);
        wait_for_next();
    });
}

void ServiceSignals::on_signal(int signal) {
    if (signal == SIGHUP) {
        if (on_reload_) return on_reload_();
        reload_wanted_ = true;
    } else {
        stopped_.request_stop();
        io_.stop();
    }
}

void ServiceSignals::stopping() {
    boost::system::error_code ignored;
    set_.remove(SIGINT, ignored);
    set_.remove(SIGTERM, ignored);
}

}  // namespace drover::cli
