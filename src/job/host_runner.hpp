// Programs on this host, for host-run: started, read, and ended with all their children.
//
// Threads: a thread of its own does the work, since starting a process blocks. start() and HostProgram's members from any thread;
// the listener is called on that thread. Ownership: the runner keeps a program until it has ended; its destructor ends all.
// Failure: on_end() with a code, exactly once.
#pragma once
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "drover/row.hpp"
#include "job/action.hpp"
#include "job/once_runs.hpp"

namespace drover::job {

struct HostCommand {
    std::vector<std::string> argv;                         // argv[0] with a '/', or looked up in PATH
    std::vector<std::pair<std::string, std::string>> env;  // besides drover's own
    std::filesystem::path cwd;                             // empty: drover's own
};

class HostListener {
public:
    virtual ~HostListener() = default;
    // One piece at a time for each stream: the next comes after `more` was called, by any thread.
    virtual void on_output(OutputStream stream, std::string bytes, std::function<void()> more) = 0;
    // The exit code (128 + n: killed by signal n), or Code::host_program.
    virtual void on_end(const Result<int>& exit) = 0;
};

class HostProgram {
public:
    virtual ~HostProgram() = default;
    // SIGTERM to its whole process group, and kTermGrace later SIGKILL. on_end() still comes.
    virtual void terminate() = 0;
};

class HostRunner {
public:
    static constexpr std::size_t kProgramsMax = 32;  // at once; others wait
    static constexpr std::chrono::milliseconds kTermGrace{1'000};
    static constexpr std::chrono::milliseconds kDrainMax{500};  // for output, once the program has ended
    static constexpr std::size_t kPieceBytesMax = 16 * 1024;

    HostRunner();
    ~HostRunner();
    std::shared_ptr<HostProgram> start(HostCommand command, std::shared_ptr<HostListener> listener);

    OnceRuns& once() { return once_; }

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
    OnceRuns once_{*this};
};

}  // namespace drover::job
