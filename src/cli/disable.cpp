// drover disable / enable: people take phones out of service and back. The marks are in the state directory, for the command line
// and a running `drover serve` alike.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "cli/fleet_choice.hpp"
#include "cli/serve_config.hpp"
#include "cli/terminal.hpp"
#include "fleet/marks.hpp"

namespace drover::cli {
namespace {

struct DisableArguments {
    std::string selector;
    std::string reason;
};

std::string user_name() {
    for (const char* name : {"SUDO_USER", "USER", "LOGNAME"}) {
        if (const char* value = std::getenv(name); value && *value) return fleet::clean_reason(value);
    }
    return fmt::format("uid {}", ::getuid());
}

// The phones that a selector names: those that are disabled already as well, and ids that no phone has now but a mark.
Result<std::vector<std::string>> named(const FleetOptions& options, const std::string& selector,
                                       const fleet::Marks& marks) {
    if (marks.contains(selector)) return std::vector<std::string>{selector};
    auto fleet = Fleet::open(options);
    if (!fleet) return tl::unexpected(fleet.error());
    auto targets = (*fleet)->select(selector);
    if (!targets) return tl::unexpected(targets.error());
    if (!targets->unknown_ids.empty()) {
        return fail(Code::nothing_matched, fmt::format("no such phone: {}", targets->unknown_ids.front()));
    }
    auto all = targets->targets;
    all.insert(all.end(), targets->disabled.begin(), targets->disabled.end());
    std::sort(all.begin(), all.end());  // as the inventory has them
    std::vector<std::string> ids;
    for (const auto t : all) ids.push_back((*fleet)->instances()[t].id);
    if (ids.empty()) return fail(Code::nothing_matched, fmt::format("no phone matches '{}'", selector));
    return ids;
}

int change(const Context& context, const DisableArguments& o, bool disable) {
    ignore_sigpipe();
    const auto options = fleet_options(context);
    if (!options) return report_error(options.error());
    const auto marks = fleet::load_marks(options->state_dir);
    if (!marks) return report_error(marks.error());
    const auto ids = named(*options, o.selector, *marks);
    if (!ids) return report_error(ids.error());
    fleet::Mark mark;
    mark.reason = fleet::clean_reason(o.reason);
    mark.by = user_name();
    mark.since = std::chrono::system_clock::now();
    std::string lines;
    const auto written = fleet::change_marks(options->state_dir, [&](fleet::Marks& all) {
        for (const auto& id : *ids) {
            const bool was = all.contains(id);
            if (disable) all[id] = mark;
            if (!disable) all.erase(id);
            lines += was == disable ? fmt::format("{}: was {} already\n", id, disable ? "disabled" : "enabled")
                                    : fmt::format("{}: {}\n", id, disable ? "disabled" : "enabled");
        }
    });
    if (!written) return report_error(written.error());
    ResultStream results;
    results.write(lines);
    return results.exit_code();
}

}  // namespace

void add_disable(Program& program, Context& context) {
    auto o = std::make_shared<DisableArguments>();
    auto& disable = program.add("disable", "Takes phones out of service, until `drover enable`");
    disable.takes_config();
    disable.positional("SELECTOR", o->selector, "which phones", Need::required);
    disable.text("--reason", "TEXT", o->reason, "why; shown wherever the phone is asked for");
    disable.action([o, &context] {
        if (o->reason.empty()) return report_error(Error(Code::usage, "disable: say why, with --reason TEXT"));
        return change(context, *o, true);
    });
    auto& enable = program.add("enable", "Puts disabled phones back into service");
    enable.takes_config();
    enable.positional("SELECTOR", o->selector, "which phones", Need::required);
    enable.action([o, &context] { return change(context, *o, false); });
}

}  // namespace drover::cli
