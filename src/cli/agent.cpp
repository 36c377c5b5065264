// drover agent: takes commands for this host's phones from a controller, until told to stop. `serve` does the same when its
// configuration has an `agent:` part.
#include "agent/agent.hpp"

#include <fmt/format.h>

#include <boost/asio/io_context.hpp>
#include <csignal>

#include "base/log.hpp"
#include "cli/audit_entries.hpp"
#include "cli/phones_watch.hpp"
#include "cli/sd_notify.hpp"
#include "cli/serve_config.hpp"
#include "cli/service_host.hpp"
#include "cli/service_signals.hpp"
#include "cli/terminal.hpp"
#include "task/fleet_phones.hpp"

namespace drover::cli {
namespace {

int check_agent_config(const http::Config& config) {
    if (const auto good = agent::check(*config.agent); !good) return report_error(good.error());
    ResultStream results;
    results.write("config: ok\n");
    return results.lost() ? 1 : 0;
}

void reload(task::FleetPhones& phones) {
    if (const auto changed = phones.reload(); !changed)
        log::error("the phones stay as they were: {}", changed.error().message);
}

int run_agent(const Context& context, bool check_config) {
    ignore_sigpipe();
    const auto config = read_config(context);
    if (!config) return report_error(config.error());
    if (!config->agent) {
        return report_error(Error(Code::bad_config,
                                  "there is no `agent:` in the configuration: give --config FILE; config/drover.yaml "
                                  "documents its keys"));
    }
    set_up_log(*config);
    if (check_config) return check_agent_config(*config);
    boost::asio::io_context io{1};
    ServiceSignals signals(io);
    if (auto made = make_state_dir(config->state_dir); !made) return report_error(made.error());
    Result<std::unique_ptr<task::FleetPhones>> phones;
    signals.hear_while(
        [&](std::stop_token stop) { phones = task::FleetPhones::open(fleet_options(*config, std::move(stop))); });
    if (!phones) return signals.told_to_stop() ? 0 : report_error(phones.error());
    http::AuditLog audit(config->audit);
    agent::Hooks hooks;
    hooks.on_end = [&](const agent::Key& key, const agent::Outcome& outcome, const std::vector<std::string>& ids) {
        audit.write(audit_of(*config->agent, key, outcome, ids));
    };
    auto agent = agent::Agent::start(*config->agent, config->state_dir, **phones, std::move(hooks));
    if (!agent) return report_error(agent.error());
    signals.wait([&] {
        audit.reopen();
        reload(**phones);
    });
    ResultStream results;
    results.write(fmt::format("ready: agent {} of {}\n", config->agent->server_id, config->agent->controller));
    sd_notify("READY=1");
    {
        const PhonesWatch watch(io, **phones, phone_files(*config), [&] { reload(**phones); });
        io.run();
    }
    sd_notify("STOPPING=1");
    signals.stopping();
    (*agent)->stop(config->drain);
    return 0;
}

}  // namespace

void add_agent(Program& program, Context& context) {
    auto check_config = std::make_shared<bool>(false);
    auto& command = program.add("agent", "Takes commands for this host's phones from a controller, until SIGTERM");
    command.takes_config();
    command.flag("--check-config", *check_config, "only say whether the configuration is right");
    command.action([check_config, &context] { return run_agent(context, *check_config); });
}

}  // namespace drover::cli
