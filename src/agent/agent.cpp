#include "agent/agent.hpp"

#include <fmt/format.h>

#include <random>

#include "agent/sqlite_ledger.hpp"
#include "base/log.hpp"
#include "drover/job.hpp"
#include "task/task_runner.hpp"

namespace drover::agent {
namespace {

std::function<double()> make_random() {
    return [engine = std::mt19937_64(std::random_device()())]() mutable {
        return std::uniform_real_distribution<double>(0, 1)(engine);
    };
}

}  // namespace

Result<void> check(const http::AgentConfig& config) {
    if (auto r = Credentials(config).check(); !r) return r;
    if (config.url.tls) {
        if (const auto tls = net::make_client_tls(config.ca); !tls) return tl::unexpected(tls.error());
    }
    for (const auto& [task_id, file] : config.jobs) {
        if (const auto job = Job::load(file); !job) return tl::unexpected(job.error().front());
    }
    for (const auto& [name, bucket] : config.buckets) {
        std::error_code error;
        if (!std::filesystem::is_directory(bucket.directory, error)) {
            return fail(Code::bad_config,
                        fmt::format("agent.buckets.{}: {} is no directory", name, bucket.directory.string()));
        }
    }
    return {};
}

Result<std::unique_ptr<Agent>> Agent::start(const http::AgentConfig& config, const std::filesystem::path& state_dir,
                                            task::Phones& phones, Hooks hooks) {
    if (auto good = check(config); !good) return tl::unexpected(good.error());
    auto ledger = SqliteLedger::open(state_dir / "agent.db", config.server_id);
    if (!ledger) return tl::unexpected(ledger.error());
    auto controller = HttpController::make(config);
    if (!controller) return tl::unexpected(controller.error());
    std::unique_ptr<Agent> agent(new Agent(config, std::move(*ledger), std::move(*controller)));
    ExecutorParts parts{phones, *agent->ledger_, agent->config_, agent->home_, agent->worker_, std::move(hooks)};
    agent->executor_ = std::make_unique<Executor>(std::move(parts), state_dir / "agent-logs",
                                                  [a = agent.get()](const Key& key, const Outcome& outcome) {
                                                      a->machine_->on_finished(key, outcome, a->home_.now());
                                                      a->rearm();
                                                      a->end_if_idle();
                                                  });
    Result<void> started;
    agent->loops_.run_on(0, [&] {
        started = agent->machine_->start(agent->home_.now());
        agent->rearm();
    });
    if (!started) return tl::unexpected(started.error());
    log::info("agent: {} takes commands from {}", config.server_id, config.controller);
    return agent;
}

Agent::Agent(const http::AgentConfig& config, std::unique_ptr<Ledger> ledger, std::unique_ptr<Controller> controller)
    : config_(config), ledger_(std::move(ledger)), controller_(std::move(controller)) {
    MachineOptions options;
    options.pace = {config.poll, config.retry, config.retry_max};
    options.parallel = config.parallel;
    options.random = make_random();
    options.wall_ms = task::now_ms;
    Effects& effects = *this;
    machine_ = std::make_unique<Machine>(std::move(options), *ledger_, effects);
}

Agent::~Agent() { stop(std::chrono::milliseconds(0)); }

void Agent::hold() {
    if (end_.valid()) return;
    controller_->abandon();
    loops_.run_on(0, [&] {
        end_ = ended_.emplace().get_future();
        machine_->stop();
        timer_.cancel();
        end_if_idle();
    });
}

void Agent::stop(std::chrono::milliseconds drain) {
    if (std::exchange(stopped_, true)) return;
    hold();
    if (end_.wait_for(drain) != std::future_status::ready) {
        loops_.run_on(0, [&] {
            if (executor_) executor_->stop_all(Error(Code::interrupted, "interrupted: the agent was stopped"));
        });
        if (end_.wait_for(kStopMax) != std::future_status::ready)
            log::error("agent: what runs has not ended within {} s; the next start reports it as interrupted",
                       kStopMax.count());
    }
    loops_.stop();
    if (executor_) executor_->drop_calls();
}

void Agent::end_if_idle() {
    if (!ended_ || (executor_ && !executor_->idle())) return;
    ended_->set_value();
    ended_.reset();
}

void Agent::rearm() {
    timer_.cancel();
    const auto next = machine_->next();
    if (next != TimePoint::max()) home_.arm(timer_, next);
}

void Agent::on_timer() {
    machine_->on_time(home_.now());
    rearm();
}

void Agent::poll() {
    poller_.post([this] {
        home_.post([this, answer = controller_->poll()] {
            machine_->on_poll_answer(answer, home_.now());
            rearm();
        });
    });
}

void Agent::report(const std::string& body) {
    reporter_.post([this, body] {
        home_.post([this, answer = controller_->report(body)] {
            machine_->on_report_answer(answer, home_.now());
            rearm();
        });
    });
}

}  // namespace drover::agent
