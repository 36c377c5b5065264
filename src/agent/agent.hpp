// An agent at work: polls its controller, carries out what it says, reports. Owns its threads; the machine, the ledger and the
// executor live on one of them.
//
// Threads: start(), stop() and the destructor from one that is none of its own. Ownership: phones outlive it. Failure: start() says
// what is wrong; after that it goes on whatever happens, and logs.
#pragma once
#include <future>
#include <memory>

#include "agent/controller.hpp"
#include "agent/executor.hpp"

namespace drover::agent {

// What can be said without starting anything: job files, directories, credentials.
Result<void> check(const http::AgentConfig& config);

class Agent final : private Effects {
public:
    // The ledger and the logs are below state_dir, which must exist.
    static Result<std::unique_ptr<Agent>> start(const http::AgentConfig& config, const std::filesystem::path& state_dir,
                                                task::Phones& phones, Hooks hooks = {});
    ~Agent();
    // Polls, reports and begins nothing more; what runs goes on. Does not wait.
    void hold();
    // hold(), and waits for what runs; past `drain` it ends as interrupted. All of it is reported at the next start.
    void stop(std::chrono::milliseconds drain);

private:
    static constexpr std::chrono::seconds kStopMax{10};  // for what is told to end

    Agent(const http::AgentConfig& config, std::unique_ptr<Ledger> ledger, std::unique_ptr<Controller> controller);

    void poll() override;
    void report(const std::string& body) override;
    void execute(const Command& command) override { executor_->execute(command); }
    bool reload_credentials() override { return controller_->reload_credentials(); }

    void rearm();
    void on_timer();
    void end_if_idle();

    const http::AgentConfig config_;
    const std::unique_ptr<Ledger> ledger_;
    const std::unique_ptr<Controller> controller_;
    std::unique_ptr<Machine> machine_;
    std::unique_ptr<Executor> executor_;
    std::optional<std::promise<void>> ended_;  // set once nothing runs
    std::future<void> end_;                    // its other end, from hold() on
    bool stopped_ = false;
    LoopPool loops_{4};  // last, so that it stops first
    Loop& home_ = loops_.at(0);
    Loop& poller_ = loops_.at(1);    // blocks on the controller
    Loop& reporter_ = loops_.at(2);  // the same
    Loop& worker_ = loops_.at(3);    // blocks on phones and disks
    Timer timer_ = Timer::calls<&Agent::on_timer>(*this);
};

}  // namespace drover::agent
