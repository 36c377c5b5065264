// drover serve: one process that owns the fleet and answers the HTTP API, until told to stop.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <csignal>
#include <ctime>

#include "base/log.hpp"
#include "cli/fleet_choice.hpp"
#include "cli/phones_watch.hpp"
#include "cli/sd_notify.hpp"
#include "cli/serve_config.hpp"
#include "cli/service_host.hpp"
#include "cli/service_signals.hpp"
#include "cli/terminal.hpp"
#include "dispatch/selector.hpp"

namespace drover::cli {
namespace {

struct ServeOptions {
    bool check_config = false;
    std::optional<std::string> listen_text;
};

// Without an inventory nobody can say what a selector will match, only how it reads.
Result<void> check_selector(Fleet* fleet, const std::string& selector) {
    if (fleet) {
        const auto phones = fleet->select(selector);
        return phones ? Result<void>() : tl::unexpected(phones.error());
    }
    const auto good = dispatch::Selector::check(selector);
    return good ? Result<void>() : tl::unexpected(good.error().to_error(selector));
}

template <class Entries>
Result<void> check_tenants(Fleet* fleet, const Entries& entries, const std::filesystem::path& file) {
    for (const auto& entry : entries) {
        if (const auto good = check_selector(fleet, entry.instances); !good)
            return fail(Code::bad_config, fmt::format("{}: instances of tenant {}: {}", file.string(), entry.tenant,
                                                      good.error().message));
    }
    return {};
}

// Says what is wrong without listening, running or opening anything.
int check_serve_config(const http::Config& config) {
    FleetOptions options;
    options.inventory = config.inventory;
    std::unique_ptr<Fleet> fleet;
    if (config.inventory) {
        auto opened = Fleet::open(options);
        if (!opened) return report_error(opened.error());
        fleet = std::move(*opened);
    }
    const auto tokens = http::load_tokens(config.tokens);
    if (!tokens) return report_error(tokens.error());
    const auto keys = http::load_access_keys(config.access_keys);
    if (!keys) return report_error(keys.error());
    if (const auto good = check_tenants(fleet.get(), *tokens, config.tokens); !good) return report_error(good.error());
    if (const auto good = check_tenants(fleet.get(), *keys, config.access_keys); !good)
        return report_error(good.error());
    if (config.tls) {
        if (const auto tls = net::make_server_tls(*config.tls); !tls) return report_error(tls.error());
    }
    if (config.agent) {
        if (const auto agent = agent::check(*config.agent); !agent) return report_error(agent.error());
    }
    ResultStream results;
    results.write("config: ok\n");
    return results.exit_code();
}

std::string reloading_state() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return fmt::format("RELOADING=1\nMONOTONIC_USEC={}",
                       static_cast<std::int64_t>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1'000);
}

int serve(const Context& context, const ServeOptions& o) {
    ignore_sigpipe();
    auto config = read_config(context);
    if (!config) return report_error(config.error());
    if (o.listen_text) {
        auto address = net::parse_listen_address(*o.listen_text);
        if (!address) return report_error(address.error());
        if (!net::is_loopback(*address) && !config->tls && !config->insecure) {
            return report_error(
                Error(Code::usage,
                      fmt::format("--listen: {} is reachable from other hosts: configure `tls` or `insecure: true`",
                                  to_string(*address))));
        }
        config->listen = {std::move(*address)};
    }
    if (!config->socket) config->socket = default_socket_to_make();
    set_up_log(*config);
    if (o.check_config) return check_serve_config(*config);
    boost::asio::io_context io{1};
    ServiceSignals signals(io);
    const auto files = phone_files(*config);
    Result<std::unique_ptr<ServiceHost>> host;
    signals.hear_while([&](std::stop_token stop) { host = ServiceHost::start(std::move(*config), std::move(stop)); });
    if (!host) return signals.told_to_stop() ? 0 : report_error(host.error());
    std::vector<std::string> where;
    for (const auto& address : (*host)->addresses()) where.push_back(to_string(address));
    signals.wait([&host] {
        sd_notify(reloading_state());
        (*host)->reload();
        sd_notify("READY=1");
    });
    ResultStream results;
    results.write(fmt::format("ready: {}\n", fmt::join(where, " ")));
    sd_notify("READY=1");
    {
        const PhonesWatch watch(io, (*host)->phones(), files, [&] { (*host)->reload_phones(); });
        io.run();
    }
    sd_notify("STOPPING=1");
    signals.stopping();
    log::info("stopping");
    (*host)->stop();
    return 0;
}

}  // namespace

void add_serve(Program& program, Context& context) {
    auto o = std::make_shared<ServeOptions>();
    auto& command = program.add("serve", "Owns the fleet and answers the HTTP API, until SIGTERM");
    command.takes_config();
    command.flag("--check-config", o->check_config, "only say whether the configuration is right");
    command.text("--listen", "HOST:PORT", o->listen_text, "instead of the configuration's api.listen; port 0: any");
    command.action([o, &context] { return serve(context, *o); });
}

}  // namespace drover::cli
