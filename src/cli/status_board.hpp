// The last known state of each watched phone, for a thread that waits until the states say what it wants.
// Filled from loop threads, read from main's. Failure: none; a wait ends by its deadline or by end().
#pragma once
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <vector>

#include "cli/signal_watch.hpp"
#include "drover/fleet.hpp"

namespace drover::cli {

class StatusBoard final : public StatusSink {
public:
    using TimePoint = std::chrono::steady_clock::time_point;
    static constexpr std::size_t kChangesMax = 10'000;  // not yet taken; the oldest are dropped past that

    void on_status(PhoneStatus status) override;
    // Wakes whoever waits, for good. `why`: no more states will come.
    void end(std::optional<Error> why = std::nullopt);
    std::optional<Error> why();
    bool ended();

    // Interrupts whoever waits, or the next one who does, once.
    void wake();
    // The states so far are of phones that are counted otherwise now.
    void forget();

    enum class Outcome : std::uint8_t { holds, late, woken, ended };
    // Waits until `holds` says so of the states by instance.
    using States = std::map<std::size_t, PhoneStatus>;
    Outcome wait(const std::function<bool(const States&)>& holds, TimePoint deadline);
    // The changes since the last call, oldest first; waits for one. Empty: woken or ended.
    std::vector<PhoneStatus> take_changes();

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    States states_;
    std::deque<PhoneStatus> changes_;
    bool ended_ = false;
    bool woken_ = false;
    std::optional<Error> why_;
};

// Ends the board when this process is told to stop. Before any other thread is started, as SignalWatch.
class BoardStop {
public:
    explicit BoardStop(StatusBoard& board);
    int signal() const { return signal_; }  // 0: none yet
    const std::atomic<bool>& told() const { return told_; }
    std::stop_token token() const { return stopped_.get_token(); }

private:
    std::atomic<int> signal_{0};
    std::atomic<bool> told_{false};
    std::stop_source stopped_;
    SignalWatch watch_;
};

// Whether waiting longer tells more: a phone that is on its way to a state, or may still come.
bool is_settled(const PhoneStatus& status);

}  // namespace drover::cli
