// Everything `drover serve` owns, in the order it is started and stopped. Main thread; its parts run their own.
// Failure: start() says what is wrong, and nothing listens then.
#pragma once
#include <memory>
#include <mutex>
#include <stop_token>

#include "agent/agent.hpp"
#include "http/audit.hpp"
#include "http/config.hpp"
#include "http/service.hpp"
#include "net/http_server.hpp"
#include "store/source_store.hpp"
#include "store/sqlite_store.hpp"
#include "task/fleet_phones.hpp"
#include "task/task_runner.hpp"

namespace drover::cli {

class ServiceHost {
public:
    // stop: gives up looking for phones, with Code::interrupted.
    static Result<std::unique_ptr<ServiceHost>> start(http::Config config, std::stop_token stop = {});
    ~ServiceHost();

    // Tokens, keys, inventory, certificates and the audit file anew. What is wrong is logged and stays as it was.
    void reload();
    // Inventory, disable marks and discovery anew; phones that are as they were are not touched.
    void reload_phones();
    task::FleetPhones& phones() { return *phones_; }
    // Answers what is under way, at most the configured drain; then ends it as interrupted.
    void stop();
    std::vector<net::ListenAddress> addresses() const { return server_->addresses(); }

private:
    explicit ServiceHost(http::Config config) : config_(std::move(config)), audit_(config_.audit) {}
    Result<void> open(std::stop_token stop);
    Result<void> listen();
    std::vector<http::Metrics::Gauge> gauges() const;
    agent::Hooks agent_hooks();
    Result<std::vector<bool>> set_marks(const std::vector<std::string>& ids, const std::optional<fleet::Mark>& mark);

    enum class Tokens : std::uint8_t { read_again, with_other_phones };  // only where the phones have changed
    void reload(Tokens tokens);

    const http::Config config_;
    std::mutex reloading_;  // one at a time: the main thread, and who disables phones through the API
    http::Metrics metrics_;
    http::AuditLog audit_;
    std::unique_ptr<task::FleetPhones> phones_;
    std::unique_ptr<store::SqliteTaskStore> store_;
    std::unique_ptr<store::SourceStore> sources_;
    std::unique_ptr<task::TaskRunner> runner_;
    std::unique_ptr<http::Service> service_;
    std::unique_ptr<net::HttpServer> server_;
    std::unique_ptr<agent::Agent> agent_;
};

// Reads the files of tokens and access keys and resolves each entry's instances.
Result<std::shared_ptr<const http::Authenticator>> load_authenticator(const http::Config& config,
                                                                      const task::Phones& phones);
// A state directory that others cannot read; made when it is not there.
Result<void> make_state_dir(const std::filesystem::path& dir);

}  // namespace drover::cli
