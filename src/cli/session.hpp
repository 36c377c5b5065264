// One call from the command line, from the choice of the phones to the exit code. Main thread; runs once per process.
#pragma once
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/call_options.hpp"
#include "cli/command.hpp"
#include "cli/herd.hpp"
#include "drover/fleet.hpp"
#include "drover/job.hpp"
#include "report/json.hpp"
#include "report/summary.hpp"

namespace drover::cli {

struct Sinks {
    OutputSink* output = nullptr;
    StepSink* steps = nullptr;
    RowSink& rows;
    std::optional<std::chrono::milliseconds> deadline;  // what is left of the call's
};

struct Task {
    std::string name;  // the job's, or the command: names the JUnit suite
    std::string selector;
    std::optional<Herd::Choice> choice;  // of the phones that the selector names; none: all of them
    report::Steps steps = report::Steps::none;
    std::optional<std::filesystem::path> artifacts;  // where the outputs of each step go
    bool resumed = false;                            // what is in `artifacts` is of this very run
    // How much of what is in a phone's files in --out-dir stays; nullopt: all of it. Null: nothing does.
    std::function<std::optional<OutputLengths>(const std::string& id)> kept_output;
    std::vector<std::string> step_directories;  // below that of a phone
    std::chrono::milliseconds stop_grace{0};    // what phones may take to clean up when the call is stopped
    // Begins the call. The sinks of output may be null.
    std::function<std::unique_ptr<Call>(Herd&, const std::vector<std::size_t>& targets, const Sinks& sinks)> start;
    // An option that works only on a fleet of this process: its name, for the refusal. Empty: none.
    std::string direct_only;
    // May change the exit code that the rows make; not that of a signal or of lost results.
    std::function<int(int code, const report::Tally& tally)> judge;
    // After the last row and the reports; not when this process was told to stop. Does not change the exit code.
    std::function<void(int code, const report::Tally& tally, const std::function<bool()>& told_to_stop)> notify;
};

// Gives the exit code. What is wrong before anything is sent is told on stderr: 2 or 3.
int run_task(const Context& context, const CallOptions& options, const Task& task);

}  // namespace drover::cli
