// What a signal means, by how many came before it. Pure; one thread; time is handed in.
//
// Ctrl-C on a terminal: the first lists who is still running, a second within 2 s stops, the next abandons. Without a terminal,
// and for SIGTERM and SIGHUP: the first stops, the second abandons; the same one again within 250 ms does not count.
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>

namespace drover::cli {

enum class StopAction : std::uint8_t { none, list, stop, abandon };

class StopPolicy {
public:
    using TimePoint = std::chrono::steady_clock::time_point;
    static constexpr std::chrono::milliseconds kSecondWithin{2'000};
    // timeout(1), shells and service managers signal a process and then its group: the same signal right after the one that
    // stopped is its echo, not an order to abandon. Another signal is always an order.
    static constexpr std::chrono::milliseconds kEchoWithin{250};

    explicit StopPolicy(bool terminal) : terminal_(terminal) {}
    StopAction on_signal(int signal, TimePoint now);

private:
    bool terminal_;
    std::optional<TimePoint> listed_;
    std::optional<TimePoint> stopped_;
    int stopping_signal_ = 0;
};

}  // namespace drover::cli
