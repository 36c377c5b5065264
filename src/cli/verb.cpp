#include "cli/verb.hpp"

#include <fmt/format.h>

#include "base/nearest.hpp"
#include "cli/session.hpp"
#include "dispatch/fleet_impl.hpp"
#include "dispatch/run_operations.hpp"
#include "transfer/queued_operation.hpp"

namespace drover::cli {

void add_verb_options(Subcommand& command, CallOptions& o) {
    command.takes_config();
    command.text("--on", "SELECTOR", o.on,
                 "which phones: an id, a glob, a range, label:K=V, @group, all, with ! & ^ ,");
    command.duration("--timeout", o.timeout, "per phone, connecting included (10m)");
    command.duration("--deadline", o.deadline, "of the whole call (none)");
    command.duration("--connect-timeout", o.limits.connect, "until a phone has a link (5s)");
    command.duration("--silence-timeout", o.limits.silence, "while no byte goes either way (30s)");
    command.number("--max-parallel", "N", o.max_parallel,
                   "phones at work at once (8, and 4 on one USB hub, or as --config says)", 1, kMaxParallelMax);
    command.writes_reports();
    command.flag("--allow-empty", o.allow_empty, "exit 0 when no phone matches");
}

int run_verb(const Context& context, const CallOptions& options, const Verb& verb) {
    transfer::TransferLimits limits;
    limits.limits = options.all_limits();
    limits.limits.total = options.timeout.value_or(verb.timeout);
    if (!limits.limits.silence) limits.limits.silence = verb.silence;
    Task task;
    task.name = verb.name;
    task.selector = options.on.value_or("all");
    task.direct_only = verb.name.substr(0, verb.name.find(' '));
    task.start = [&](Herd& herd, const std::vector<std::size_t>& targets, const Sinks& sinks) {
        dispatch::CallLimits call;
        call.max_parallel = options.max_parallel;
        call.deadline = sinks.deadline;
        auto make = verb.make(*herd.fleet(), limits);
        if (verb.bulk && options.max_parallel == 0) {
            FleetGround& ground = *herd.fleet()->impl().ground;
            const auto& turns = ground.options().transfers;
            // Those that wait for the host wait in the queue, where no limit runs yet.
            call.max_parallel = turns.per_host;
            make = transfer::make_queued({ground.disk(), ground.turns(), turns}, limits.limits, std::move(make));
        }
        return dispatch::run_operations(*herd.fleet(), targets, std::move(make), call, sinks.rows);
    };
    return run_task(context, options, task);
}

Result<transfer::Compress> parse_compress(std::string_view word) {
    using transfer::Compress;
    static constexpr std::string_view kWords[] = {"auto", "none", "brotli", "lz4", "zstd"};
    static constexpr Compress kValues[] = {Compress::automatic, Compress::none, Compress::brotli, Compress::lz4,
                                           Compress::zstd};
    for (std::size_t i = 0; i < std::size(kWords); ++i) {
        if (kWords[i] == word) return kValues[i];
    }
    return fail(Code::usage, fmt::format("--compress: '{}' is none of auto, none, brotli, lz4, zstd{}", word,
                                         did_you_mean(word, kWords)));
}

}  // namespace drover::cli
