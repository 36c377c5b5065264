#include "cli/call_options.hpp"

namespace drover::cli {

void add_call_options(Subcommand& command, CallOptions& o) {
    command.text("--on", "SELECTOR", o.on,
                 "which phones: an id, a glob, a range, label:K=V, @group, all, with ! & ^ ,");
    command.duration("--timeout", o.timeout, "per phone, connecting included (10s; run: the job's, else 10s a step)");
    command.duration("--deadline", o.deadline, "of the whole call (none)");
    command.duration("--connect-timeout", o.limits.connect, "until a phone has a link (5s)");
    command.duration("--first-byte-timeout", o.limits.first_byte, "until the first output (none)");
    command.duration("--silence-timeout", o.limits.silence, "between two pieces of output (none)");
    command.number("--max-parallel", "N", o.max_parallel, "phones at work at once (all)", 1, kMaxParallelMax);
    command.number("--max-output", "BYTES", o.max_output_bytes,
                   "what a row keeps of the output (1024); 16777216 at most through a server", 0, kMaxOutputBytesMax);
    command.path("--out-dir", "DIR", o.out_dir, "also write the whole output to DIR/ID.out and DIR/ID.err");
    command.writes_reports();
    command.flag("--allow-empty", o.allow_empty, "exit 0 when no phone matches");
}

Limits CallOptions::all_limits() const {
    auto all = limits;
    all.max_output_bytes = max_output_bytes;
    return all;
}

}  // namespace drover::cli
