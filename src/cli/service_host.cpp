#include "cli/service_host.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include "base/log.hpp"
#include "cli/audit_entries.hpp"
#include "cli/serve_config.hpp"
#include "fleet/marks.hpp"
#include "http/credentials.hpp"

namespace drover::cli {
namespace {

// A selector that no longer makes sense takes this tenant's phones away, and nothing else: what others may do, and what was taken
// from them, goes on.
http::TenantPtr make_tenant(const std::string& name, const std::string& selector, const task::Phones& phones) {
    auto tenant = std::make_shared<http::Tenant>();
    tenant->name = name;
    tenant->all = selector == "all";
    if (!tenant->all) {
        if (const auto ids = phones.select(selector)) {
            tenant->instances.insert(ids->begin(), ids->end());
        } else {
            log::error("tenant {} has no phones until this is put right: its instances: {}", name, ids.error().message);
        }
    }
    return tenant;
}

http::Metrics::Gauge recovery_gauge(const fleet::RecoveryCounts& counts) {
    http::Metrics::Gauge gauge{"drover_recovery_steps", "What was tried to bring phones back, since the start.", {}};
    for (const auto kind : {RungKind::reconnect, RungKind::usb_reset, RungKind::reboot, RungKind::ask}) {
        const auto add = [&](std::string_view outcome, const auto& numbers) {
            gauge.values.push_back({fmt::format("step=\"{}\",outcome=\"{}\"", to_string(kind), outcome),
                                    static_cast<double>(numbers[static_cast<std::size_t>(kind)].load())});
        };
        add("tried", counts.tried);
        add("helped", counts.helped);
        add("impossible", counts.skipped);
    }
    return gauge;
}

}  // namespace

Result<std::shared_ptr<const http::Authenticator>> load_authenticator(const http::Config& config,
                                                                      const task::Phones& phones) {
    const auto tokens = http::load_tokens(config.tokens);
    if (!tokens) return tl::unexpected(tokens.error());
    const auto keys = http::load_access_keys(config.access_keys);
    if (!keys) return tl::unexpected(keys.error());
    std::vector<http::Authenticator::Token> known_tokens;
    for (const auto& entry : *tokens) {
        known_tokens.push_back({entry.digest, make_tenant(entry.tenant, entry.instances, phones)});
    }
    std::vector<http::Authenticator::Key> known_keys;
    for (const auto& entry : *keys) {
        known_keys.push_back({entry.access, entry.secret, make_tenant(entry.tenant, entry.instances, phones)});
    }
    return std::make_shared<const http::Authenticator>(std::move(known_tokens), std::move(known_keys));
}

Result<void> make_state_dir(const std::filesystem::path& dir) {
    if (dir.empty()) return fail(Code::bad_config, "there is no state directory: set state_dir, or HOME");
    std::error_code error;
    if (std::filesystem::create_directories(dir, error))
        std::filesystem::permissions(dir, std::filesystem::perms::owner_all, error);
    if (error) return fail(Code::bad_config, fmt::format("{}: {}", dir.string(), error.message()));
    return {};
}

Result<std::unique_ptr<ServiceHost>> ServiceHost::start(http::Config config, std::stop_token stop) {
    std::unique_ptr<ServiceHost> host(new ServiceHost(std::move(config)));
    if (auto opened = host->open(std::move(stop)); !opened) return tl::unexpected(opened.error());
    if (auto listening = host->listen(); !listening) return tl::unexpected(listening.error());
    return host;
}

Result<void> ServiceHost::open(std::stop_token stop) {
    if (auto made = make_state_dir(config_.state_dir); !made) return made;
    auto store = store::SqliteTaskStore::open(config_.state_dir / "drover.db");
    if (!store) return tl::unexpected(store.error());
    store_ = std::move(*store);
    sources_ = std::make_unique<store::SourceStore>(store_->file());
    auto phones = task::FleetPhones::open(fleet_options(config_, std::move(stop)));
    if (!phones) return tl::unexpected(phones.error());
    phones_ = std::move(*phones);
    task::RunnerOptions runner;
    runner.keep = config_.keep;
    runner.keep_count = config_.keep_count;
    runner.open_jobs_max = config_.open_jobs_max;
    runner.running_tasks_max = config_.running_tasks_max;
    runner.on_result = [this](const store::JobResult& result) { metrics_.count_row(result.code, Millis(result.ms)); };
    runner.on_end = [this](const store::TaskRecord& task, std::size_t ok, std::size_t failed) {
        audit_.write(audit_of(task, ok, failed));
    };
    runner_ = std::make_unique<task::TaskRunner>(*phones_, *store_, runner);
    if (auto recovered = runner_->recover(); !recovered) return recovered;
    http::ServiceOptions service;
    service.sync_timeout = config_.sync_timeout;
    service.sync_deadline = config_.sync_deadline;
    service.async_timeout = config_.async_timeout;
    service.status_axis = config_.status_axis;
    service.more_gauges = [this] { return gauges(); };
    service.set_marks = [this](const auto& ids, const auto& mark) { return set_marks(ids, mark); };
    service_ = std::make_unique<http::Service>(
        http::ServiceParts{*phones_, *runner_, *store_, *sources_, metrics_, audit_}, std::move(service));
    auto authenticator = load_authenticator(config_, *phones_);
    if (!authenticator) return tl::unexpected(authenticator.error());
    service_->set_authenticator(std::move(*authenticator));
    return {};
}

Result<void> ServiceHost::listen() {
    net::ServerOptions options;
    options.listen = config_.listen;
    if (config_.socket && !config_.socket->empty()) {
        net::ListenAddress local;
        local.path = config_.socket->string();
        options.listen.push_back(std::move(local));
    }
    options.tls = config_.tls;
    options.insecure = config_.insecure;
    options.loops = config_.threads;
    options.connections_max = config_.connections_max;
    options.session.handler = [this](net::Request request, net::Reply reply) {
        service_->handle(std::move(request), std::move(reply));
    };
    options.session.body_bytes_max = [this](const net::Request& head) { return service_->body_bytes_max(head); };
    options.session.refusal = [this](int status) { return service_->refuse(status); };
    auto server = net::HttpServer::start(std::move(options));
    if (!server) return tl::unexpected(server.error());
    server_ = std::move(*server);
    runner_->start();
    if (!config_.agent) return {};
    auto agent = agent::Agent::start(*config_.agent, config_.state_dir, *phones_, agent_hooks());
    if (!agent) return tl::unexpected(agent.error());
    agent_ = std::move(*agent);
    return {};
}

agent::Hooks ServiceHost::agent_hooks() {
    agent::Hooks hooks;
    hooks.on_row = [this](const Row& row) { metrics_.count_row(row.code, Millis(row.ms)); };
    hooks.on_end = [this](const agent::Key& key, const agent::Outcome& outcome,
                          const std::vector<std::string>& phones) {
        audit_.write(audit_of(*config_.agent, key, outcome, phones));
    };
    return hooks;
}

std::vector<http::Metrics::Gauge> ServiceHost::gauges() const {
    std::vector<http::Metrics::Gauge> all;
    // A request may come in before start() has kept the server.
    if (server_)
        all.push_back(
            {"drover_http_connections", "Connections open.", {{"", static_cast<double>(server_->connections())}}});
    all.push_back({"drover_store_writes_queued",
                   "Writes waiting for the disk.",
                   {{"", static_cast<double>(store_->writes_queued())}}});
    all.push_back(recovery_gauge(phones_->recovery_counts()));
    return all;
}

void ServiceHost::reload() {
    log::info("reading tokens, keys, inventory and certificates again");
    audit_.reopen();
    reload(Tokens::read_again);
    if (const auto loaded = server_->reload_tls(); !loaded)
        log::error("the certificate stays as it was: {}", loaded.error().message);
}

Result<std::vector<bool>> ServiceHost::set_marks(const std::vector<std::string>& ids,
                                                 const std::optional<fleet::Mark>& mark) {
    auto changed = fleet::set_marks(config_.state_dir, ids, mark);
    if (changed) reload_phones();
    return changed;
}

// Which phones a token may use depends on which there are.
void ServiceHost::reload_phones() { reload(Tokens::with_other_phones); }

void ServiceHost::reload(Tokens tokens) {
    const std::lock_guard lock(reloading_);
    const auto changed = phones_->reload();
    if (!changed) {
        log::error("the phones stay as they were: {}", changed.error().message);
    } else if (*changed) {
        log::info("the phones have changed: {} now", phones_->ids().size());
    }
    if (tokens == Tokens::with_other_phones && !changed.value_or(false)) return;
    if (auto authenticator = load_authenticator(config_, *phones_); !authenticator) {
        log::error("tokens and keys stay as they were: {}", authenticator.error().message);
    } else {
        service_->set_authenticator(std::move(*authenticator));
    }
    if (changed.value_or(false)) service_->phones_changed();
}

void ServiceHost::stop() {
    const auto until = std::chrono::steady_clock::now() + config_.drain;
    service_->set_ready(false);
    runner_->hold();
    if (agent_) agent_->hold();
    service_->end_watches();
    if (!server_->stop(config_.drain)) {
        service_->stop_calls();
        (void)server_->stop(std::chrono::seconds(2));
    }
    const auto left = std::chrono::duration_cast<Millis>(until - std::chrono::steady_clock::now());
    if (agent_) agent_->stop(std::max(left, Millis(0)));
    runner_->stop(std::max(left, Millis(0)));
}

// The server first: its handlers use all the others.
ServiceHost::~ServiceHost() {
    agent_.reset();
    server_.reset();
    if (runner_) runner_->stop(Millis(0));
    service_.reset();
}

}  // namespace drover::cli
