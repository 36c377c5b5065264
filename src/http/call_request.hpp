// What a client asks of drover's own calls: which phones, what to run there, within which limits. Both ways: the command line
// writes it, `drover serve` reads it.
//
// Values; any thread. Failure: Code::usage with the key and the rule; nothing has run.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/duration.hpp"
#include "drover/command.hpp"
#include "drover/error.hpp"

namespace drover::http {

constexpr std::size_t kCallIdsMax = 20'000;               // as many as an inventory has
constexpr std::size_t kLineBytesMax = 1024 * 1024;        // of a command
constexpr std::size_t kFileNameBytesMax = 4096;           // of a job file
constexpr std::size_t kHoldBytesMax = 64;                 // of a hold's id
constexpr std::size_t kRowBytesMax = 16 * 1024 * 1024;    // what a row may be told to keep of the output
constexpr Millis kLimitMax{std::chrono::hours(24 * 30)};  // of any duration
constexpr Millis kHoldWaitMax{60'000};                    // of one call; a client that waits longer calls again
constexpr Millis kConnectMax{60'000};                     // of a look at phones, which holds a worker

struct CallRequest {
    // One of both: a selector, or ids as they shall stand in the rows.
    std::optional<std::string> on;
    std::vector<std::string> instance_ids;

    std::string job, file;          // run: the text of a job file, and its name in messages
    bool client_notifies = false;   // run: the client does what the job's `notify` says
    std::string hold;               // run: the phones that were taken for it before
    std::size_t count = 0;          // hold: how many of the phones, which must run; 0: all, as they are
    Millis wait{0};                 // hold: until they are free
    std::string command;            // exec: a line for the phone's shell
    std::optional<Millis> timeout;  // of each phone; exec: 10 s without
    Limits limits;
    std::size_t max_parallel = 0;
    std::optional<Millis> deadline;
    bool output = false;  // send the whole output, too
    bool history = false;
    bool shared = false;  // exec: also on phones that a run holds
    std::string reason;   // disable: why
};

// {"on" | "instance_ids", "command" | "job", "file", "timeout_ms", "connect_timeout_ms", "first_byte_timeout_ms",
//  "silence_timeout_ms", "deadline_ms", "max_parallel", "max_output_bytes", "output", "history", "hold", "shared", "count",
//  "wait_ms", "reason", "client_notifies"}; all but the first are optional. Unknown keys are refused: a limit that was
//  misspelt would not hold.
Result<CallRequest> read_call_request(std::string_view body);
std::string to_json(const CallRequest& request);

}  // namespace drover::http
