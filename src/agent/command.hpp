// What a controller says to an agent, and what the agent says back: bodies as values. Pure; any thread.
// Failure: a text for the log; a controller is a peer, whatever it sends is data.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

namespace drover::agent {

constexpr std::size_t kTextCharactersMax = 255;  // of a name, a task_id, a bucket
// The whole request may have 10,240 bytes; what is left is for the request line and the headers.
constexpr std::size_t kReportBytesMax = 8 * 1024;
constexpr std::size_t kFailuresTold = 10;

// What tells one command from another: the same key again is the same command, delivered again.
struct Key {
    std::string name, task_id;  // task_id empty: none was given
    auto operator<=>(const Key&) const = default;
};
std::string to_string(const Key& key);  // for the log

struct Command {
    Key key;
    std::string bucket;  // empty: none
};

// START and SYNC work on phones and take their time.
bool is_long(std::string_view name);
// STOP and DELETE end those of the same task.
bool ends_others(std::string_view name);

// The body of GET …/command. nullopt: nothing to do.
tl::expected<std::optional<Command>, std::string> parse_command(std::string_view body);

struct Failure {
    std::string instance_id, error_code, error_msg;
};

struct Counts {
    std::uint64_t total = 0, ok = 0, failed = 0;
};

// How a command ended.
struct Outcome {
    bool ok = false;
    std::string msg;
    std::int64_t started_ms = 0, finished_ms = 0;  // since 1970, UTC; 0: never
    std::optional<Counts> instances;
    std::vector<Failure> failures;  // the first ones
};

// The body of POST …/command_result, at most kReportBytesMax: what does not fit is cut, failures first.
std::string build_report(const Key& key, const Outcome& outcome);

}  // namespace drover::agent
