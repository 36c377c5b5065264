// Ends what a killed drover leaves running: a small process of its own that knows the process group of every program that was
// started and kills them all when the pipe to this process ends. The death signal that a program asks for, prctl(2), reaches its
// first process only; this reaches what that one has started.
//
// watch() is for the child between fork and exec: one write, nothing else. forget() and stop(): one thread at a time.
// The watchdog has no memory of its own to allocate, holds nothing open but the pipe, and is not hit by signals for this
// process's group. Failure: no process or pipe is an Error; should somebody kill the watchdog, watch() says false.
#pragma once
#include <sys/types.h>

#include <memory>
#include <utility>

#include "base/unique_fd.hpp"
#include "drover/error.hpp"

namespace drover {

class Watchdog {
public:
    static constexpr pid_t kPidsMax = 4 * 1024 * 1024;  // the system has no higher process numbers

    // Best before there are threads and listeners; right with them too. SIGPIPE must be ignored or held.
    static Result<std::unique_ptr<Watchdog>> start();
    ~Watchdog() { stop(); }
    Watchdog(const Watchdog&) = delete;
    Watchdog& operator=(const Watchdog&) = delete;

    pid_t pid() const { return pid_; }
    // The caller's process group, before it runs anything. False: nobody would end it.
    bool watch(pid_t group) const { return tell(group); }
    // Before the group's number can be given to others: before its leader is waited for, or at once after that.
    void forget(pid_t group) const { tell(-group); }
    // Kills the groups that are left, ends the watchdog and waits for it. A second call does nothing.
    void stop();

private:
    Watchdog(pid_t pid, UniqueFd pipe) : pid_(pid), pipe_(std::move(pipe)) {}
    bool tell(pid_t word) const;

    pid_t pid_;
    UniqueFd pipe_;
};

}  // namespace drover
