// What a stretch of work cost: CPU of this process and of another one beside it, wall time, memory.
//
// Threads: any, one at a time. Ownership: values. Failure: a foreign process that cannot be measured ends the program with a
// message; a benchmark without its figure is of no use.
#pragma once
#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace drover::bench {

std::int64_t monotonic_ns();
// Resident memory of this process but for pages of files: those of the program and its libraries are read once, however many
// phones there are, and the kernel may take them back.
std::int64_t anon_kib();

struct Cost {
    double cpu_us = 0;       // user and system, all threads, this process
    double user_us = 0;      // the user part of it, as the kernel's ticks saw it: rough
    double peer_cpu_us = 0;  // of the other process
    double wall_us = 0;
    double wakeups = 0;  // voluntary context switches of this process
};

class Meter {
public:
    // peer: an adb server that works for this client; 0: none.
    explicit Meter(pid_t peer) : peer_(peer) {}
    void begin();
    Cost end() const;

private:
    pid_t peer_;
    std::int64_t wall_ns_ = 0, cpu_ns_ = 0, peer_ns_ = 0, user_us_ = 0, switches_ = 0;
};

// What one client program found; printed as one line of JSON. call_p99_us is null where fewer than 100 calls were made.
struct Report {
    std::string way;
    std::size_t phones = 0;
    std::uint64_t commands = 0;
    std::uint64_t bad = 0;  // commands without exit code 0
    Cost cost;
    std::vector<std::int64_t> call_ns;  // per call to all phones: from its start to the last exit code
    std::int64_t anon_start_kib = 0;    // before the inventory was read: not one phone yet
    std::int64_t anon_linked_kib = 0;   // all links up, no command yet
    std::int64_t anon_end_kib = 0;
};
void print(Report report);

}  // namespace drover::bench
