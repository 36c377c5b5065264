// A thread that signals sent to the process pass by, from its first moment: they are for the program's own threads, whichever those
// are, and a room may start threads before the program has said what a signal means. What a fault of the thread itself raises is
// not held back.
//
// Any thread. Ownership: the caller joins it. Failure: std::system_error, as of std::thread.
#pragma once
#include <pthread.h>

#include <csignal>
#include <thread>
#include <utility>

namespace drover {

class SignalsHeld {
public:
    SignalsHeld() {
        sigset_t held;
        sigfillset(&held);
        for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS}) sigdelset(&held, fault);
        ::pthread_sigmask(SIG_BLOCK, &held, &before_);
    }
    ~SignalsHeld() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
    SignalsHeld(const SignalsHeld&) = delete;
    SignalsHeld& operator=(const SignalsHeld&) = delete;

private:
    sigset_t before_{};
};

// A new thread has the mask of the one that makes it.
template <class F>
std::thread quiet_thread(F&& run) {
    const SignalsHeld held;
    return std::thread(std::forward<F>(run));
}

}  // namespace drover
