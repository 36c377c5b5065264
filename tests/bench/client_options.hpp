// The command line that both measured clients share.
// Pure; any thread. Failure: a message on stderr and exit code 2.
#pragma once
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>

namespace drover::bench {

// calls: one command to all phones, the next when the last one has answered. back_to_back: each phone on its own, its next
// command right after its last.
enum class Pattern : std::uint8_t { calls, back_to_back };

struct ClientOptions {
    std::string inventory;
    std::size_t phones = 1;   // the first of the inventory
    std::size_t calls = 100;  // commands a phone
    std::size_t warm_up_calls = 3;
    Pattern pattern = Pattern::calls;
    bool delayed_ack = false;
    bool exit_ends = false;  // floor only: the exit code closes the stream, the phone's own CLSE is not waited for
    pid_t peer = 0;          // an adb server whose CPU counts too
};

// --inventory F [--phones N] [--calls N] [--warm-up N] [--back-to-back] [--delayed-ack] [--exit-ends] [--peer PID]
ClientOptions parse_client_options(int argc, char** argv);

}  // namespace drover::bench
