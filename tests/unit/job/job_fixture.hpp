// Jobs on fake phones: what the tests of JobWork share. Threads: the test's.
#pragma once
#include <fmt/format.h>

#include <atomic>
#include <condition_variable>
#include <mutex>

#include "dispatch/dispatcher.hpp"
#include "job/work.hpp"
#include "support/fake_phone.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"

namespace drover::test {

struct Rows final : RowSink {
    std::vector<Row> rows;
    void on_row(Row row) override { rows.push_back(std::move(row)); }
    void on_done() override {}
};

// Lets a test wait until a phone was asked to run something.
struct Event {
    std::mutex mutex;
    std::condition_variable changed;
    int count = 0;
    void add() {
        const std::lock_guard lock(mutex);
        ++count;
        changed.notify_all();
    }
    void wait_for(int wanted) {
        std::unique_lock lock(mutex);
        if (!changed.wait_for(lock, kWaitMax, [&] { return count >= wanted; }))
            throw std::runtime_error("what a test waits for did not happen");
    }
};

struct ToldRows final : RowSink {
    Event came;
    std::vector<Row> rows;
    void on_row(Row row) override {
        rows.push_back(std::move(row));
        came.add();
    }
    void on_done() override {}
};

inline Job job_of(std::string_view steps, std::string_view head = "") {
    auto job = Job::parse(fmt::format("version: 1\n{}\nsteps:\n{}", head, steps), "j.yaml");
    if (!job) throw std::runtime_error(job.error()[0].message);
    return *std::move(job);
}

inline std::shared_ptr<job::RunShared> shared_of(const Job& job, Limits limits = {},
                                                 std::optional<Millis> timeout = {}) {
    auto shared = std::make_shared<job::RunShared>(job);
    shared->timeout = timeout ? timeout : job.model().timeout;
    shared->limits = limits;
    shared->host = std::make_unique<job::HostRunner>();
    return shared;
}

inline dispatch::Request request_of(FakeFleet& fleet, const std::shared_ptr<job::RunShared>& shared) {
    if (shared->job.model().strategy.sync_steps) shared->barrier = std::make_unique<job::Barrier>(fleet.phones.size());
    dispatch::Request r;
    r.targets = fleet.all();
    r.make_work = [shared](std::size_t target, fleet::Phone&) {
        return std::make_unique<job::JobWork>(shared, target);
    };
    return r;
}

inline dispatch::Request request(FakeFleet& fleet, const Job& job, Limits limits = {},
                                 std::optional<Millis> timeout = {}) {
    return request_of(fleet, shared_of(job, limits, timeout));
}

inline Row run_on_one(FakeFleet& fleet, const Job& job, Limits limits = {}, std::optional<Millis> timeout = {}) {
    Rows rows;
    dispatch::dispatch(request(fleet, job, limits, timeout), rows)->wait();
    if (rows.rows.size() != 1) throw std::runtime_error("not one row");
    return rows.rows[0];
}

// "exit N" ends so; "out TEXT" prints the text, anything else itself, and ends with 0.
inline void play(FakeCarrier& carrier, std::string_view service) {
    const std::string_view command = service.substr(service.find(':') + 1);
    const bool fails = command.starts_with("exit ");
    carrier.behave = command == "hang"   ? FakeCarrier::Behave::opens_only
                     : command == "lose" ? FakeCarrier::Behave::loses_link
                                         : FakeCarrier::Behave::exits;
    carrier.exit_code = fails ? command[5] - '0' : 0;
    const bool prints = command.starts_with("out ");
    carrier.output = fails ? "bad\n" : std::string(prints ? command.substr(4) : command) + "\n";
}

inline FakeFleet& play_on(FakeFleet& fleet) {
    for (std::size_t i = 0; i < fleet.phones.size(); ++i) {
        fleet.at(i, [](FakeConnector& c) { c.carrier.before_answer = play; });
    }
    return fleet;
}

// As play(), and tells when the phone was asked for what ends with `what`, which has no end where it `hangs`.
inline void play_and_tell(FakeFleet& fleet, std::size_t phone, std::string what, Event& asked, bool hangs = false) {
    fleet.at(phone, [&](FakeConnector& c) {
        c.carrier.before_answer = [what = std::move(what), hangs, &asked](FakeCarrier& carrier,
                                                                          std::string_view service) {
            play(carrier, service);
            if (!service.ends_with(what)) return;
            if (hangs) carrier.behave = FakeCarrier::Behave::opens_only;
            asked.add();
        };
    });
}

inline std::vector<std::string> opened_on(FakeFleet& fleet, std::size_t phone) {
    std::vector<std::string> opened;
    fleet.at(phone, [&](FakeConnector& c) { opened = c.carrier.opened; });
    return opened;
}

inline std::string told(const Row& row) {
    std::string out;
    for (const StepResult& step : row.steps) {
        out += fmt::format("{}:{}{}{} ", step.name, step.skipped ? "skipped" : info(step.code).name,
                           step.continued ? "+" : "", step.exit_code ? std::to_string(*step.exit_code) : "");
    }
    return out;
}

// The steps on one phone that plays along.
inline Row run_job_on_one(std::string_view steps, std::string_view head = "") {
    FakeFleet fleet(1, 1);
    return run_on_one(play_on(fleet), job_of(steps, head));
}

}  // namespace drover::test
