// A plain verb: one operation on each phone, with the rows, outputs, options and exit codes of exec. Main thread.
#pragma once
#include <functional>
#include <string>

#include "cli/call_options.hpp"
#include "cli/command.hpp"
#include "dispatch/operation.hpp"
#include "drover/fleet.hpp"
#include "transfer/push_task.hpp"
#include "transfer/stream_operation.hpp"

namespace drover::cli {

// How long a phone may take, where the command line does not say.
constexpr std::chrono::minutes kTransferTimeout{10};
constexpr std::chrono::seconds kTransferSilence{30};

struct Verb {
    std::string name;  // of the JUnit suite: "push a.apk /sdcard/"
    std::function<dispatch::OperationFactory(Fleet&, transfer::TransferLimits)> make;
    bool bulk = true;  // only so many at once, of the host and of a hub, unless --max-parallel says otherwise
    std::chrono::milliseconds timeout = kTransferTimeout;
    std::optional<std::chrono::milliseconds> silence = kTransferSilence;
};

// The options of exec that make sense for verbs.
void add_verb_options(Subcommand& command, CallOptions& o);
int run_verb(const Context& context, const CallOptions& options, const Verb& verb);

// --compress's value; an unknown word is Code::usage.
Result<transfer::Compress> parse_compress(std::string_view word);

}  // namespace drover::cli
