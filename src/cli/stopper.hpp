// Stops a call when this process is told to, whatever the printing thread is doing.
//
// Threads: signals come on a thread of its own; everything else is for the main thread. Ownership: the call is attached while it
// runs, and detached before it is destroyed. Failure: a process that does not come to its end after it was told to stop (its
// stdout takes nothing more) leaves with _exit and the right exit code.
#pragma once
#include <atomic>
#include <mutex>
#include <optional>
#include <stop_token>

#include "cli/row_queue.hpp"
#include "cli/signal_watch.hpp"
#include "cli/stop_policy.hpp"

namespace drover::cli {

class Stopper {
public:
    static constexpr std::chrono::milliseconds kDrainMax{2'000};  // between stop and the last row
    static constexpr std::chrono::milliseconds kPrintMax{1'000};  // what printing may take beyond that

    struct Patience {
        std::chrono::milliseconds drain = kDrainMax;
        std::chrono::milliseconds print = kPrintMax;
    };

    // `terminal`: there is somebody to show a list to.
    Stopper(bool terminal, RowQueue& queue) : Stopper(terminal, queue, Patience()) {}
    Stopper(bool terminal, RowQueue& queue, Patience patience);

    void begin();  // something may run from now on: before that a Ctrl-C on a terminal has nothing to list, and stops
    void attach(Call& call);  // stops it at once if a signal came before
    void detach();
    // What phones may take beyond kDrainMax: a job's `finally`. Before attach().
    void extend_drain(std::chrono::milliseconds more);

    std::optional<int> signal() const;                       // the one that stopped
    const std::atomic<bool>& told() const { return told_; }  // as signal(), for whoever looks often
    std::stop_token token() const { return stopped_.get_token(); }
    std::optional<SignalWatch::TimePoint> drain_until() const;
    bool take_list_wish() { return list_.exchange(false); }
    bool abandoned() const { return abandoned_; }

private:
    std::optional<SignalWatch::TimePoint> on_signal(int signal);
    void stop_call_locked();
    void leave_now() const;

    RowQueue& queue_;
    const bool terminal_;
    Patience patience_;
    StopPolicy policy_{false};
    mutable std::mutex mutex_;
    Call* call_ = nullptr;
    std::optional<int> signal_;
    std::optional<SignalWatch::TimePoint> drain_until_;
    std::stop_source stopped_;
    std::atomic<bool> told_ = false;
    std::atomic<bool> list_ = false;
    std::atomic<bool> abandoned_ = false;
    SignalWatch watch_;  // last: its thread uses all of the above
};

}  // namespace drover::cli
