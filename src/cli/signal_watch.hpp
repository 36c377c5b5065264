// SIGINT, SIGTERM and SIGHUP as calls on a thread of their own, so that nothing runs inside a signal handler.
//
// Make it before any other thread is started: threads inherit the blocked signals. A signal that was ignored when the program
// began (nohup, a shell's background job) stays ignored. Not movable; one at a time in a process.
#pragma once
#include <chrono>
#include <csignal>
#include <functional>
#include <optional>
#include <thread>

namespace drover::cli {

class SignalWatch {
public:
    using TimePoint = std::chrono::steady_clock::time_point;
    // Gives the time by which the process must have ended, if there is one; past it on_late is called.
    using OnSignal = std::function<std::optional<TimePoint>(int signal)>;

    SignalWatch(OnSignal on_signal, std::function<void()> on_late);
    ~SignalWatch();
    SignalWatch(const SignalWatch&) = delete;
    SignalWatch& operator=(const SignalWatch&) = delete;

private:
    void loop();

    OnSignal on_signal_;
    std::function<void()> on_late_;
    sigset_t before_{};
    int signals_ = -1;
    int end_ = -1;
    std::thread thread_;
};

}  // namespace drover::cli
