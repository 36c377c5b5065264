// drover's side of `scripts/bench fleet`, through the public headers as an embedding program uses them:
//   bench_fleet recover --inventory F             links to all, says "linked", reads "go NANOSECONDS" (monotonic), then tells when
//                                                 each phone took a command
//   bench_fleet returned --inventory F            likewise, but asks for nothing: tells when each phone was up again by itself
//   bench_fleet neighbours --inventory F --good N --calls C
//                                                 C commands on the first N phones, all at once, while the rest are tried too
//   bench_fleet idle --inventory F --seconds S    links to all and does nothing
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <numeric>
#include <string>
#include <vector>

#include "drover/fleet.hpp"
#include "meter.hpp"

namespace drover::bench {
namespace {

using Millis = std::chrono::milliseconds;

[[noreturn]] void give_up(std::string_view what) {
    fmt::print(stderr, "bench_fleet: {}\n", what);
    std::exit(1);
}

ExecOptions no_op(Millis limit) {
    ExecOptions options;
    options.command.text = "true";
    options.command.limits.total = options.command.limits.connect = limit;
    return options;
}

std::vector<std::size_t> indices(std::size_t from, std::size_t to) {
    std::vector<std::size_t> targets(to - from);
    std::iota(targets.begin(), targets.end(), from);
    return targets;
}

// Keeps the phones connected, and notes when each was last seen to come up.
class UpTimes final : public StatusSink {
public:
    void on_status(PhoneStatus status) override {
        constexpr int kRunning = 2;
        const std::lock_guard lock(mutex_);
        if (status.status == kRunning) {
            up_ns_[status.instance] = monotonic_ns();
        } else {
            up_ns_.erase(status.instance);
        }
        changed_.notify_all();
    }
    // Until that many are up.
    std::vector<double> wait(std::size_t phones, std::int64_t began_ns, Millis limit) {
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, limit, [&] { return up_ns_.size() >= phones; });
        std::vector<double> ms;
        for (const auto& [phone, ns] : up_ns_) ms.push_back(std::max(0.0, static_cast<double>(ns - began_ns) / 1e6));
        return ms;
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::map<std::size_t, std::int64_t> up_ns_;
};

// Tries a command on each phone until it works, each phone on its own.
class Recovery {
public:
    Recovery(Fleet& fleet, std::size_t phones, std::int64_t began_ns)
        : fleet_(fleet), began_ns_(began_ns), open_(phones) {
        for (std::size_t i = 0; i < phones; ++i) tries_.push_back(std::make_unique<Try>(*this, i));
    }
    bool run(Millis limit) {
        {
            const std::lock_guard lock(mutex_);
            for (auto& t : tries_) t->next();
        }
        return finished_.get_future().wait_for(limit) == std::future_status::ready;
    }
    std::vector<double> ready_ms() {
        const std::lock_guard lock(mutex_);
        return ready_ms_;
    }
    void stop() {
        const std::lock_guard lock(mutex_);
        stopped_ = true;
    }

private:
    struct Try final : RowSink {
        Try(Recovery& o, std::size_t t) : owner(o), target{t} {}
        void on_row(Row row) override {
            ok = row.ok();
            if (!ok) return;
            const double ms = static_cast<double>(monotonic_ns() - owner.began_ns_) / 1e6;
            const std::lock_guard lock(owner.mutex_);
            owner.ready_ms_.push_back(ms);
        }
        void on_done() override {
            const std::lock_guard lock(owner.mutex_);
            if (owner.stopped_) return;
            if (!ok) {
                next();
            } else if (--owner.open_ == 0) {
                owner.finished_.set_value();
            }
        }
        // A call may not be destroyed in its own on_done(), so the one before goes.
        void next() { calls[++number % 2] = owner.fleet_.exec(target, no_op(std::chrono::seconds(20)), *this); }

        Recovery& owner;
        const std::vector<std::size_t> target;
        bool ok = false;
        std::size_t number = 0;
        std::unique_ptr<Call> calls[2];
    };

    Fleet& fleet_;
    const std::int64_t began_ns_;
    std::mutex mutex_;
    std::size_t open_;
    bool stopped_ = false;
    std::vector<double> ready_ms_;
    std::promise<void> finished_;
    std::vector<std::unique_ptr<Try>> tries_;
};

// Says "linked" and waits for "go NANOSECONDS EXPECTED": when the phones returned, and how many of them.
std::pair<std::int64_t, std::size_t> await_go() {
    fmt::print("linked\n");
    std::fflush(stdout);
    std::string word;
    std::int64_t began_ns = 0;
    std::size_t expected = 0;
    if (!(std::cin >> word >> began_ns >> expected) || word != "go") give_up("nobody said go");
    return {began_ns, expected};
}

void print_times(const std::vector<double>& ms) {
    fmt::print("{{\"ready_ms\":[{:.1f}]}}\n", fmt::join(ms, ","));
    std::fflush(stdout);
}

void recover(Fleet& fleet) {
    const auto [began_ns, expected] = await_go();
    Recovery recovery(fleet, expected, began_ns);
    recovery.run(std::chrono::seconds(60));
    recovery.stop();
    print_times(recovery.ready_ms());
    std::_Exit(0);  // calls on phones that never came may still run
}

// Commands on the phones that misbehave, one after the other on each, beside those that are measured.
class Nuisance final : public RowSink {
public:
    Nuisance(Fleet& fleet, std::vector<std::size_t> targets) : fleet_(fleet), targets_(std::move(targets)) {
        const std::lock_guard lock(mutex_);
        if (!targets_.empty()) next();
    }
    void on_row(Row row) override { failed += row.ok() ? 0 : 1; }
    void on_done() override {
        const std::lock_guard lock(mutex_);
        if (!ended_) return next();
        done_.set_value();
    }
    void end() {
        {
            const std::lock_guard lock(mutex_);
            if (targets_.empty()) return;
            ended_ = true;
        }
        done_.get_future().wait();
    }
    std::size_t failed = 0;

private:
    void next() { calls_[++number_ % 2] = fleet_.exec(targets_, no_op(Millis(1500)), *this); }

    Fleet& fleet_;
    const std::vector<std::size_t> targets_;
    std::mutex mutex_;
    bool ended_ = false;
    std::size_t number_ = 0;
    std::promise<void> done_;
    std::unique_ptr<Call> calls_[2];
};

struct TimeRows final : RowSink {
    std::mutex mutex;
    std::int64_t began_ns = 0;
    std::vector<double> row_us;
    std::size_t bad = 0;
    void on_row(Row row) override {
        const std::lock_guard lock(mutex);
        row_us.push_back(static_cast<double>(monotonic_ns() - began_ns) / 1e3);
        bad += row.ok() ? 0 : 1;
    }
    void on_done() override {}
};

void neighbours(Fleet& fleet, std::size_t good, std::size_t calls) {
    Nuisance nuisance(fleet, indices(good, fleet.instances().size()));
    TimeRows rows;
    const auto targets = indices(0, good);
    for (std::size_t i = 0; i < calls; ++i) {
        rows.began_ns = monotonic_ns();
        fleet.exec(targets, no_op(std::chrono::seconds(10)), rows)->wait();
    }
    nuisance.end();
    std::sort(rows.row_us.begin(), rows.row_us.end());
    const auto at = [&](double q) {
        return rows.row_us[static_cast<std::size_t>(q * static_cast<double>(rows.row_us.size() - 1))];
    };
    fmt::print(
        "{{\"rows\":{},\"bad\":{},\"p50_us\":{:.0f},\"p99_us\":{:.0f},\"max_us\":{:.0f},\"nuisance_failed\":{}}}\n",
        rows.row_us.size(), rows.bad, at(0.5), at(0.99), rows.row_us.back(), nuisance.failed);
}

void idle(std::size_t phones, std::int64_t anon_before, Millis time) {
    std::promise<void> never;
    const auto anon = anon_kib();
    Meter meter(0);
    meter.begin();
    never.get_future().wait_for(time);
    const Cost cost = meter.end();
    fmt::print("{{\"phones\":{},\"cpu_core\":{:.6f},\"wakeups_per_s\":{:.1f},\"kib_per_phone\":{:.2f}}}\n", phones,
               cost.cpu_us / cost.wall_us, cost.wakeups / (cost.wall_us / 1e6),
               static_cast<double>(anon - anon_before) / static_cast<double>(phones));
}

}  // namespace
}  // namespace drover::bench

int main(int argc, char** argv) {
    using namespace drover::bench;
    if (argc < 2) give_up("recover, returned, neighbours or idle?");
    const std::string mode = argv[1];
    std::map<std::string, std::string> o{{"--good", "0"}, {"--calls", "100"}, {"--seconds", "5"}};
    for (int i = 2; i + 1 < argc; i += 2) o[argv[i]] = argv[i + 1];
    drover::FleetOptions options;
    options.inventory = o["--inventory"];
    options.loops = 1;
    const auto anon = anon_kib();
    auto fleet = drover::Fleet::open(options);
    if (!fleet) give_up(fleet.error().message);
    const std::size_t phones = (*fleet)->instances().size();
    const std::size_t good = mode == "neighbours" ? std::stoul(o["--good"]) : phones;
    UpTimes up;
    const auto watch = (*fleet)->watch(indices(0, phones), up);
    for (const auto& phone : (*fleet)->probe(indices(0, good), std::chrono::seconds(30))) {
        if (phone.adb_state != "device")
            give_up(fmt::format("{} is {}: {}", phone.instance.id, phone.adb_state, phone.why));
    }
    if (mode == "recover") {
        recover(**fleet);
    } else if (mode == "returned") {
        const auto [began_ns, expected] = await_go();
        print_times(up.wait(expected, began_ns, std::chrono::seconds(60)));
    } else if (mode == "neighbours") {
        neighbours(**fleet, good, std::stoul(o["--calls"]));
    } else if (mode == "idle") {
        idle(phones, anon, std::chrono::seconds(std::stoi(o["--seconds"])));
    } else {
        give_up("recover, returned, neighbours or idle?");
    }
}
