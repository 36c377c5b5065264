// The hold book of this process, for all its threads. Whoever sends a command to a phone asks here first, unless it shares.
//
// Threads: any; a phone's loop asks without a lock while nobody holds anything. Ownership: outlives the calls that were given
// admission(). Failure: as HoldBook.
#pragma once
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/duration.hpp"
#include "drover/fleet.hpp"
#include "fleet/hold_book.hpp"

namespace drover::fleet {

// What the row of a held phone says.
Error refusal(const Hold& hold);

class Holds {
public:
    using Clock = std::function<HoldBook::Now()>;
    static HoldBook::Now now();
    explicit Holds(Clock clock = now) : clock_(std::move(clock)) {}

    // As HoldBook::take(). Without a time to live the phones are the run's until it lets them go.
    std::vector<std::string> take(const Holder& holder, std::span<const std::string> candidates, HoldBook::Want want,
                                  std::optional<Millis> time_to_live = std::nullopt);
    // The owner's run begins: from now on it has no time to live. False: no such hold of this owner waits for its run.
    bool begin(std::string_view run, std::string_view owner);
    // The owner wants no run any more. False: no such hold of this owner waits for its run.
    bool give_up(std::string_view run, std::string_view owner);
    void release(std::string_view run);

    std::optional<Hold> of(const std::string& id);
    std::size_t phones();
    // Of the candidates, how many nobody holds.
    std::size_t free(std::span<const std::string> candidates);

    // Refuses phones that some run holds: Code::held. For calls that do not share.
    Admit admission();
    // Called when phones became free, from the thread that freed them. Set before anything is held.
    void on_freed(std::function<void()> freed) { freed_ = std::move(freed); }
    // Called when phones became held or free, but for holds whose time was over. As on_freed().
    void on_changed(std::function<void()> changed) { changed_ = std::move(changed); }

private:
    bool waits_locked(std::string_view run, std::string_view owner) const;
    void note_locked() { any_ = book_.phones() > 0; }

    const Clock clock_;
    std::atomic<bool> any_ = false;
    std::mutex mutex_;
    HoldBook book_;
    std::function<void()> freed_, changed_;
};

}  // namespace drover::fleet
