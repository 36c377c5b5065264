// drover disable / enable: people take phones out of service and back. The marks are in the state directory; where a `drover serve`
// runs they are in that one's, which may be another.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "cli/fleet_choice.hpp"
#include "cli/json_choice.hpp"
#include "cli/serve_config.hpp"
#include "cli/server_client.hpp"
#include "cli/server_data.hpp"
#include "cli/terminal.hpp"
#include "fleet/marks.hpp"
#include "http/call_request.hpp"

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

struct Change {
    std::string id;
    bool changed = false;  // no: it was so already
};

int print_changes(const Context& context, const std::vector<Change>& changes, bool disable) {
    const std::string_view now = disable ? "disabled" : "enabled";
    std::string lines;
    boost::json::array phones;
    for (const auto& [id, changed] : changes) {
        lines += changed ? fmt::format("{}: {}\n", id, now) : fmt::format("{}: was {} already\n", id, now);
        phones.push_back(boost::json::object{{"instance_id", id}, {"disabled", disable}, {"changed", changed}});
    }
    return print_result(context, lines, {{"schema", 1}, {"phones", std::move(phones)}});
}

Result<std::vector<Change>> change_here(const Context& context, const DisableArguments& o, bool disable) {
    const auto options = fleet_options(context);
    if (!options) return tl::unexpected(options.error());
    const auto marks = fleet::load_marks(options->state_dir);
    if (!marks) return tl::unexpected(marks.error());
    const auto ids = named(*options, o.selector, *marks);
    if (!ids) return tl::unexpected(ids.error());
    std::optional<fleet::Mark> mark;
    if (disable) mark = {fleet::clean_reason(o.reason), user_name(), std::chrono::system_clock::now()};
    const auto changed = fleet::set_marks(options->state_dir, *ids, mark);
    if (!changed) return tl::unexpected(changed.error());
    std::vector<Change> changes;
    for (std::size_t i = 0; i < ids->size(); ++i) changes.push_back({(*ids)[i], (*changed)[i]});
    return changes;
}

// The server has a state directory of its own, and its phones are so before it answers.
Result<std::vector<Change>> change_there(const ServerChoice& server, const DisableArguments& o, bool disable) {
    http::CallRequest request;
    request.on = o.selector;
    request.reason = fleet::clean_reason(o.reason);
    const auto data = ServerClient(server).post(disable ? "/drover/v1/disable" : "/drover/v1/enable", to_json(request));
    if (!data) return tl::unexpected(data.error());
    std::vector<Change> changes;
    for (const auto& value : list_in(*data, "phones")) {
        const auto* phone = value.if_object();
        const auto* id = phone ? phone->if_contains("instance_id") : nullptr;
        const auto* changed = phone ? phone->if_contains("changed") : nullptr;
        if (!id || !id->is_string() || !changed || !changed->is_bool())
            return fail(Code::server_unreachable, "the server's answer makes no sense");
        changes.push_back({id->get_string().c_str(), changed->get_bool()});
    }
    return changes;
}

int change(const Context& context, const DisableArguments& o, bool disable) {
    ignore_sigpipe();
    const auto server = choose_server(context);
    if (!server) return report_error(server.error());
    const auto changes = *server ? change_there(**server, o, disable) : change_here(context, o, disable);
    return changes ? print_changes(context, *changes, disable) : report_error(changes.error());
}

}  // namespace

void add_disable(Program& program, Context& context) {
    auto o = std::make_shared<DisableArguments>();
    auto& disable = program.add("disable", "Takes phones out of service, until `drover enable`");
    disable.takes_config();
    disable.takes_server();
    disable.positional("SELECTOR", o->selector, "which phones", Need::required);
    disable.text("--reason", "TEXT", o->reason, "why (required); shown wherever the phone is asked for");
    disable.action([o, &context] {
        if (o->reason.empty()) return report_error(Error(Code::usage, "disable: say why, with --reason TEXT"));
        return change(context, *o, true);
    });
    auto& enable = program.add("enable", "Puts disabled phones back into service");
    enable.takes_config();
    enable.takes_server();
    enable.positional("SELECTOR", o->selector, "which phones", Need::required);
    enable.action([o, &context] { return change(context, *o, false); });
}

}  // namespace drover::cli
