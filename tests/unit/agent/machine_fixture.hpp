// The agent's decisions under a hand-moved clock: what it would send and carry out is recorded, a test answers in its place.
#pragma once
#include <gtest/gtest.h>

#include <memory>

#include "agent/machine.hpp"
#include "support/memory_ledger.hpp"

namespace drover::agent {

class MachineTest : public ::testing::Test, public Effects {
protected:
    using Seconds = std::chrono::seconds;

    MachineTest() { restart(); }

    // A new process over the same ledger.
    void restart() {
        answered = polls;
        reports.clear();
        executed.clear();
        MachineOptions options = make_options();
        machine = std::make_unique<Machine>(options, ledger, *this);
        ASSERT_TRUE(machine->start(now));
    }
    virtual MachineOptions make_options() {
        MachineOptions options;
        options.pace = pace;
        options.parallel = 2;
        options.random = [this] { return chance; };
        options.wall_ms = [] { return std::int64_t{1'000'000}; };
        return options;
    }

    void poll() override { ++polls; }
    void report(const std::string& body) override { reports.push_back(body); }
    void execute(const Command& command) override { executed.push_back(command.key); }
    bool reload_credentials() override {
        ++reloads;
        return std::exchange(changed, false);
    }

    void pass(Duration time) {
        // As the agent's timer does: at every moment it asks for.
        const auto until = now + time;
        while (machine->next() <= until) {
            now = std::max(now, machine->next());
            machine->on_time(now);
        }
        now = until;
    }
    // The poll under way brings this; if none is, the next one does.
    void deliver(const std::string& name, const std::string& task = "t1") {
        answer_poll(200, R"({"command_name":")" + name + R"(","command_param":{"task_id":")" + task + R"("}})");
    }
    void idle() { answer_poll(200, "{}"); }
    void answer_poll(int status, std::string body = "") {
        while (polls == answered) {
            now = machine->next();
            machine->on_time(now);
        }
        answered = polls;
        machine->on_poll_answer({status, std::move(body)}, now);
    }
    void answer_report(int status) { machine->on_report_answer({status, ""}, now); }
    void finished(const std::string& name, const std::string& task = "t1", bool ok = true) {
        Outcome outcome;
        outcome.ok = ok;
        outcome.msg = "done";
        machine->on_finished({name, task}, outcome, now);
    }

    PaceOptions pace;
    double chance = 0.5;  // no jitter
    bool changed = false;
    test::MemoryLedger ledger;
    TimePoint now{};
    int polls = 0, answered = 0, reloads = 0;
    std::vector<std::string> reports;
    std::vector<Key> executed;
    std::unique_ptr<Machine> machine;
};

const Key kStart{"START", "t1"}, kStop{"STOP", "t1"}, kSync{"SYNC", "t1"};

}  // namespace drover::agent
