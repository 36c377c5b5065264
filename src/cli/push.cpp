#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/verb.hpp"
#include "dispatch/fleet_impl.hpp"
#include "transfer/operations.hpp"

namespace drover::cli {
namespace {

struct PushWords {
    CallOptions call;
    std::vector<std::string> paths;
    std::string compress = "auto";
};

int push(const Context& context, const PushWords& o) {
    if (o.paths.size() < 2) {
        return report_error(Error(Code::usage, "push: what, and where to? as in: drover push app.cfg /sdcard/"));
    }
    const auto compress = parse_compress(o.compress);
    if (!compress) return report_error(compress.error());
    transfer::PushOptions options;
    options.remote = o.paths.back();
    options.compress = *compress;
    auto plan = transfer::plan_push(transfer::local_files(), {o.paths.begin(), o.paths.end() - 1});
    if (!plan) return report_error(Error(Code::usage, "push: " + plan.error().message));
    const auto shared = std::make_shared<const transfer::PushPlan>(std::move(*plan));
    Verb verb;
    verb.name = fmt::format("push {}", fmt::join(o.paths, " "));
    verb.make = [&](Fleet& fleet, transfer::TransferLimits limits) {
        return transfer::make_push(fleet.impl().ground->disk(), shared, options, limits);
    };
    return run_verb(context, o.call, verb);
}

}  // namespace

void add_push(Program& program, Context& context) {
    auto o = std::make_shared<PushWords>();
    auto& command = program.add("push", "Copies files and directories to phones: push LOCAL... REMOTE");
    command.positionals("PATH", o->paths, "files or directories of this host, and last where to on the phones");
    add_verb_options(command, o->call);
    command.text("--compress", "HOW", o->compress, "auto, none, brotli, lz4 or zstd, where the phone can (auto)");
    command.action([o, &context] { return push(context, *o); });
}

}  // namespace drover::cli
