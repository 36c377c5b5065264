// The final result for one phone. Every target of every call gets exactly one Row (reference: cli.md, Rows).
// A value: whoever receives it owns it; any thread may read it.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "drover/error.hpp"

namespace drover {

// How far the work got when its row was made.
enum class Phase : std::uint8_t { queue, connect, handshake, auth, open, first_byte, run, done };
std::string_view to_string(Phase phase);

enum class OutputStream : std::uint8_t { out = 1, err = 2 };  // the shell protocol's own numbers

// A run of execute_msg that came from one stream; runs are in order and cover the whole text.
struct OutputRun {
    OutputStream stream = OutputStream::out;
    std::uint32_t end = 0;  // offset in execute_msg just past this run, bytes
};

// One test that a step of a job ran (`instrument`).
struct TestCase {
    enum class Verdict : std::uint8_t { passed, failed, error, skipped };
    std::string suite, name;  // the class, the method
    Verdict verdict = Verdict::passed;
    std::string message;  // why it did not pass: the stack trace
};

// What one step of a job did on one phone; a plain command has none.
struct StepResult {
    std::string name;
    std::string kind;         // the key that says what it does: "run"
    std::string combination;  // of strategy.matrix: "abi=arm64, n=1"; empty without one
    Code code = Code::ok;
    std::string error_msg;  // empty when ok
    bool skipped = false;
    bool continued = false;  // failed, and continue-on-error let the job go on
    bool restored = false;   // done by the run that this one resumes
    std::optional<int> exit_code;
    std::uint32_t attempts = 0;      // 0: never begun
    std::uint64_t output_bytes = 0;  // raw bytes of all attempts
    std::uint32_t output_begin = 0;  // its part of the row's execute_msg
    std::uint32_t output_end = 0;
    std::uint64_t begin_ms = 0;  // from the phone's leaving the queue
    std::uint64_t ms = 0;
    std::vector<TestCase> tests;
    std::vector<std::string> files;  // below the artifacts directory
    std::string files_dir;           // of an older run, absolute, if its files are not in this run's
};

struct Row {
    std::size_t index = 0;    // position among the targets of the call, from 0
    std::string instance_id;  // 1..32 characters
    Code code = Code::ok;
    std::string error_msg;  // empty when ok
    Phase phase = Phase::queue;
    std::string execute_msg;         // valid UTF-8, at most the call's max_output bytes
    std::vector<OutputRun> runs;     // which part of execute_msg is stdout, which stderr
    std::optional<int> exit_code;    // empty when unknown
    std::uint64_t output_bytes = 0;  // raw bytes the phone sent as output
    bool truncated = false;
    std::uint32_t attempts = 0;  // 0: never opened on the phone
    std::uint64_t ms = 0;        // from leaving the queue to this row
    std::vector<StepResult> steps;

    bool ok() const { return code == Code::ok; }
    int status() const { return ok() ? 2 : -1; }  // the documented API's item status
};

}  // namespace drover
