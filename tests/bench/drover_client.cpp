// drover as an embedding program uses it: a fleet with one loop, its links kept alive, commands through Fleet::exec.
#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <memory>
#include <mutex>
#include <numeric>
#include <vector>

#include "client_options.hpp"
#include "drover/fleet.hpp"
#include "meter.hpp"

namespace drover::bench {
namespace {

[[noreturn]] void give_up(std::string_view what) {
    fmt::print(stderr, "bench_drover: {}\n", what);
    std::exit(1);
}

ExecOptions no_op() {
    ExecOptions options;
    options.command.text = "true";
    // With 10,000 phones at once the virtual ones may need a while.
    auto& limits = options.command.limits;
    limits.total = limits.connect = limits.open = std::chrono::minutes(1);
    return options;
}

struct Tally {
    std::uint64_t done = 0, bad = 0;
    std::string first_failure;

    void add(const Row& row) {
        ++done;
        if (row.ok()) return;
        if (bad++ == 0) first_failure = fmt::format("{}: {} {}", row.instance_id, info(row.code).name, row.error_msg);
    }
};

struct CountRows final : RowSink {
    Tally tally;
    void on_row(Row row) override { tally.add(row); }
    void on_done() override {}
};

// One command after the other on each phone, each a call of its own, begun on the loop as soon as the last one ended.
class BackToBack {
public:
    BackToBack(Fleet& fleet, std::size_t phones, std::size_t calls) : fleet_(fleet), chains_(phones), open_(phones) {
        for (std::size_t i = 0; i < phones; ++i) chains_[i] = std::make_unique<Chain>(*this, i, calls);
    }
    void run() {
        {
            const std::lock_guard lock(mutex_);
            for (auto& chain : chains_) chain->next();
        }
        finished_.get_future().wait();
    }
    Tally tally;

private:
    struct Chain final : RowSink {
        Chain(BackToBack& o, std::size_t t, std::size_t n) : owner(o), target{t}, left(n) {}
        void on_row(Row row) override { owner.tally.add(row); }
        void on_done() override {
            const std::lock_guard lock(owner.mutex_);
            if (left > 0) {
                next();
            } else if (--owner.open_ == 0) {
                owner.finished_.set_value();
            }
        }
        // A call may not be destroyed in its own on_done(), so the one before goes.
        void next() {
            --left;
            calls[left % 2] = owner.fleet_.exec(target, no_op(), *this);
        }

        BackToBack& owner;
        const std::vector<std::size_t> target;
        std::size_t left;
        std::unique_ptr<Call> calls[2];
    };

    Fleet& fleet_;
    std::mutex mutex_;  // only the start comes from another thread than the loop's
    std::vector<std::unique_ptr<Chain>> chains_;
    std::size_t open_;
    std::promise<void> finished_;
};

void run(Fleet& fleet, const ClientOptions& options, std::size_t calls, Report& report) {
    Tally tally;
    if (options.pattern == Pattern::back_to_back) {
        BackToBack work(fleet, options.phones, calls);
        work.run();
        tally = work.tally;
    } else {
        std::vector<std::size_t> targets(options.phones);
        std::iota(targets.begin(), targets.end(), std::size_t{0});
        CountRows rows;
        for (std::size_t i = 0; i < calls; ++i) {
            const auto began = monotonic_ns();
            fleet.exec(targets, no_op(), rows)->wait();
            report.call_ns.push_back(monotonic_ns() - began);
        }
        tally = rows.tally;
    }
    report.commands = tally.done;
    report.bad = tally.bad;
    if (tally.bad > 0)
        fmt::print(stderr, "bench_drover: {} of {} failed; the first {}\n", tally.bad, tally.done, tally.first_failure);
}

void link_up(Fleet& fleet, std::size_t phones) {
    std::vector<std::size_t> targets(phones);
    std::iota(targets.begin(), targets.end(), std::size_t{0});
    for (const auto& phone : fleet.probe(targets, std::chrono::seconds(30))) {
        if (phone.adb_state != "device")
            give_up(fmt::format("{} is {}: {}", phone.instance.id, phone.adb_state, phone.why));
    }
}

}  // namespace
}  // namespace drover::bench

int main(int argc, char** argv) {
    using namespace drover::bench;
    const ClientOptions options = parse_client_options(argc, argv);
    Report report;
    report.way = "drover";
    report.phones = options.phones;
    report.anon_start_kib = anon_kib();
    drover::FleetOptions fleet_options;
    fleet_options.inventory = options.inventory;
    fleet_options.loops = 1;
    fleet_options.delayed_ack = options.delayed_ack;
    auto fleet = drover::Fleet::open(fleet_options);
    if (!fleet) give_up(fleet.error().message);
    if ((*fleet)->instances().size() < options.phones) give_up("the inventory is too small");

    link_up(**fleet, options.phones);
    report.anon_linked_kib = anon_kib();
    if (options.warm_up_calls > 0) run(**fleet, options, options.warm_up_calls, report);
    report.call_ns.clear();

    Meter meter(options.peer);
    meter.begin();
    run(**fleet, options, options.calls, report);
    report.cost = meter.end();
    report.anon_end_kib = anon_kib();
    if (options.pattern == Pattern::back_to_back) report.call_ns.clear();
    print(std::move(report));
}
