#include "meter.hpp"

#include <fmt/format.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>

namespace drover::bench {
namespace {

std::int64_t read_clock(clockid_t clock) {
    timespec t{};
    if (clock_gettime(clock, &t) != 0) {
        fmt::print(stderr, "bench: a process to be measured has gone\n");
        std::exit(1);
    }
    return std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

// All threads of the process, those that ended too, in nanoseconds.
std::int64_t cpu_ns(pid_t pid) {
    clockid_t clock = CLOCK_PROCESS_CPUTIME_ID;
    if (pid != 0 && clock_getcpuclockid(pid, &clock) != 0) {
        fmt::print(stderr, "bench: there is no process {} to be measured\n", pid);
        std::exit(1);
    }
    return read_clock(clock);
}

rusage usage() {
    rusage u{};
    getrusage(RUSAGE_SELF, &u);
    return u;
}

std::int64_t user_us(const rusage& u) { return std::int64_t{u.ru_utime.tv_sec} * 1'000'000 + u.ru_utime.tv_usec; }

double quantile_us(const std::vector<std::int64_t>& sorted, double q) {
    if (sorted.empty()) return 0;
    const auto at = static_cast<std::size_t>(q * static_cast<double>(sorted.size()));
    return static_cast<double>(sorted[std::min(at, sorted.size() - 1)]) / 1e3;
}

// The p99 of fewer than a hundred calls would be the slowest of a few.
std::string p99_us(const std::vector<std::int64_t>& sorted) {
    return sorted.size() < 100 ? "null" : fmt::format("{:.0f}", quantile_us(sorted, 0.99));
}

}  // namespace

std::int64_t monotonic_ns() { return read_clock(CLOCK_MONOTONIC); }

std::int64_t anon_kib() {
    std::ifstream file("/proc/self/statm");
    std::int64_t size = 0, resident = 0, of_files = 0;
    file >> size >> resident >> of_files;
    return (resident - of_files) * (sysconf(_SC_PAGESIZE) / 1024);
}

void Meter::begin() {
    const rusage u = usage();
    user_us_ = user_us(u);
    switches_ = u.ru_nvcsw;
    peer_ns_ = peer_ ? cpu_ns(peer_) : 0;
    wall_ns_ = monotonic_ns();
    cpu_ns_ = cpu_ns(0);
}

Cost Meter::end() const {
    Cost cost;
    cost.cpu_us = static_cast<double>(cpu_ns(0) - cpu_ns_) / 1e3;
    cost.wall_us = static_cast<double>(monotonic_ns() - wall_ns_) / 1e3;
    if (peer_) cost.peer_cpu_us = static_cast<double>(cpu_ns(peer_) - peer_ns_) / 1e3;
    const rusage u = usage();
    cost.user_us = static_cast<double>(user_us(u) - user_us_);
    cost.wakeups = static_cast<double>(u.ru_nvcsw - switches_);
    return cost;
}

void print(Report r) {
    std::sort(r.call_ns.begin(), r.call_ns.end());
    const auto n = static_cast<double>(std::max<std::uint64_t>(r.commands, 1));
    fmt::print(
        "{{\"way\":\"{}\",\"phones\":{},\"commands\":{},\"bad\":{},\"cpu_us\":{:.3f},\"peer_cpu_us\":{:.3f},\"user_"
        "us\":{:.3f},"
        "\"wall_us\":{:.3f},\"wakeups\":{:.3f},\"call_p50_us\":{:.0f},\"call_p99_us\":{},\"anon_start_kib\":{},"
        "\"anon_linked_kib\":{},\"anon_end_kib\":{}}}\n",
        r.way, r.phones, r.commands, r.bad, r.cost.cpu_us / n, r.cost.peer_cpu_us / n, r.cost.user_us / n,
        r.cost.wall_us / n, r.cost.wakeups / n, quantile_us(r.call_ns, 0.5), p99_us(r.call_ns), r.anon_start_kib,
        r.anon_linked_kib, r.anon_end_kib);
}

}  // namespace drover::bench
