// Child programs for tests: start one, read what it prints, end it by its own pid. Every wait has a deadline and waits
// on events (poll on the pipes and on a pidfd), never on sleeps.
//
// One thread at a time per Process, and the one that made it lives as long as the child. The child leads its own process
// group; destroying the Process kills that group, and the death of the test kills the child. Failing to start throws
// std::system_error, which is a failed test; a name that is not in PATH is exit code 127, as in a shell. What a sanitizer says in
// the child's stderr fails the test.
#pragma once
#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover::test {

// Long enough for a sanitizer build on a busy machine; a test that waits this long fails anyway.
constexpr std::chrono::milliseconds kWaitMax{60'000};
// Of each of stdout and stderr this much is kept; the rest is read and counted.
constexpr std::size_t kOutputKeptBytesMax = 32 * 1024 * 1024;

struct ProcessOptions {
    std::vector<std::string> argv = {};                          // argv[0] is looked up in PATH
    std::map<std::string, std::optional<std::string>> env = {};  // changes: a value sets, nullopt removes
    std::filesystem::path cwd = {};                              // empty: the test's own
    std::optional<std::string> input = std::nullopt;             // fed to stdin, then closed; nothing: /dev/null
    std::size_t output_kept_bytes = kOutputKeptBytesMax;
};

struct ExitStatus {
    std::optional<int> code;    // exited by itself
    std::optional<int> signal;  // killed by this signal
    bool operator==(const ExitStatus&) const = default;
};

class Process {
public:
    explicit Process(ProcessOptions options);
    ~Process();
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;

    pid_t pid() const { return pid_; }
    // SIGSTOP, and waits until its last thread has stopped: until then one may still answer. False: it has ended.
    bool freeze() const;
    // Sends a signal to the child alone. Does nothing once the child was reaped.
    void signal(int number);

    // Waits until the child has ended and all it printed is read. nullopt: the time is over, the child still runs.
    std::optional<ExitStatus> wait(std::chrono::milliseconds limit = kWaitMax);
    // Waits until stdout (stderr) holds a whole line with `part` in it, and returns the first such line without its end.
    // nullopt: the time is over, or the child ended without it.
    std::optional<std::string> wait_for_line(std::string_view part, std::chrono::milliseconds limit = kWaitMax);
    std::optional<std::string> wait_for_error_line(std::string_view part, std::chrono::milliseconds limit = kWaitMax);

    // What was printed, as far as the last wait read it.
    const std::string& out() const { return out_.text; }
    const std::string& err() const { return err_.text; }
    // All bytes, also those past the kept ones.
    std::uint64_t out_bytes() const { return out_.bytes; }
    std::uint64_t err_bytes() const { return err_.bytes; }

private:
    struct Pipe {
        int fd = -1;
        std::string text;
        std::uint64_t bytes = 0;
    };
    using Deadline = std::chrono::steady_clock::time_point;

    std::optional<std::string> find_line(Pipe& pipe, std::string_view part, std::chrono::milliseconds limit);
    bool step(Deadline deadline);  // one poll and its events; false when the deadline has passed
    void drain(Pipe& pipe);
    void feed();
    void reap();

    std::string program_;
    pid_t pid_ = -1;
    int pidfd_ = -1;
    int in_ = -1;
    std::string input_;
    std::size_t fed_ = 0;
    std::size_t kept_max_;
    Pipe out_;
    Pipe err_;
    std::optional<ExitStatus> status_;
};

// A whole run: start, wait, collect.
struct Finished {
    ExitStatus status;
    std::string out;
    std::string err;
    // The exit code, or 128 + the signal as a shell would say, or -1 when the time was over (the child was killed).
    int code() const;
};
Finished run(ProcessOptions options, std::chrono::milliseconds limit = kWaitMax);

}  // namespace drover::test
