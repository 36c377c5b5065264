#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>

#include "cli/verb.hpp"
#include "dispatch/fleet_impl.hpp"
#include "transfer/operations.hpp"

namespace drover::cli {
namespace {

struct PullWords {
    CallOptions call;
    std::vector<std::string> paths;
    std::string compress = "none";
};

int pull(const Context& context, const PullWords& o) {
    if (o.paths.size() < 2) {
        return report_error(Error(Code::usage, "pull: what, and where to? as in: drover pull /sdcard/log.txt logs"));
    }
    const auto compress = parse_compress(o.compress);
    if (!compress) return report_error(compress.error());
    transfer::PullOptions options;
    options.remotes = {o.paths.begin(), o.paths.end() - 1};
    options.compress = *compress;
    const auto names = transfer::pull_names(options.remotes);
    if (!names) return report_error(names.error());
    const std::filesystem::path directory = o.paths.back();
    std::error_code error;
    std::filesystem::create_directories(directory, error);
    if (error)
        return report_error(Error(Code::usage, fmt::format("pull: {}: {}", directory.string(), error.message())));
    Verb verb;
    verb.name = fmt::format("pull {}", fmt::join(o.paths, " "));
    verb.make = [&](Fleet& fleet, transfer::TransferLimits limits) {
        const auto place = [directory](const Instance& phone) { return directory / phone.id; };
        return transfer::make_pull(fleet.impl().ground->disk(), options, *names, place, limits);
    };
    return run_verb(context, o.call, verb);
}

}  // namespace

void add_pull(Program& program, Context& context) {
    auto o = std::make_shared<PullWords>();
    auto& command = program.add("pull", "Copies files and directories from phones: pull REMOTE... DIR");
    command.positionals("PATH", o->paths, "files or directories of the phones, and last a directory of this host");
    add_verb_options(command, o->call);
    command.text("--compress", "HOW", o->compress, "none, brotli, lz4 or zstd, where the phone can (none)");
    command.action([o, &context] { return pull(context, *o); });
}

}  // namespace drover::cli
