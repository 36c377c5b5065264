// A program on a terminal of its own (a pty), to try what is only done for people: Ctrl-C, colors, the progress line.
// One thread at a time; destroying it kills the program. Waits are bounded by kWaitMax and wait on events.
#pragma once
#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "support/process.hpp"

namespace drover::test {

class PtyProcess {
public:
    explicit PtyProcess(std::vector<std::string> argv);
    ~PtyProcess();
    PtyProcess(const PtyProcess&) = delete;
    PtyProcess& operator=(const PtyProcess&) = delete;

    // Waits until the screen has shown `part` after what earlier waits saw. False: the program ended or the time is over.
    bool wait_for(std::string_view part);
    void type(std::string_view keys);  // "\x03" is Ctrl-C
    ExitStatus wait();                 // reads to the end
    const std::string& shown() const { return shown_; }
    pid_t pid() const { return pid_; }
    int terminal() const { return fd_; }

private:
    bool read_some(std::chrono::steady_clock::time_point deadline);

    pid_t pid_ = -1;
    int fd_ = -1;
    bool reaped_ = false;
    std::string shown_;
    std::size_t seen_ = 0;
};

}  // namespace drover::test
