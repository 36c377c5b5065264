// Bulk transfers at once: a host's controllers and disks are shared, and so is each USB hub. Whoever has much to move takes a turn,
// and gives it back by letting go of it.
//
// Threads: any. Ownership: the Turn is its owner's; the Turns outlive it. `given` is called once, when it is this one's turn: maybe
// before ask() returns, else on the thread of whoever gave a turn back, outside the lock, and maybe just after the Turn is gone.
// Order: who asked first, but for those whose hub is busy. Failure: none.
#pragma once
#include <cstddef>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "drover/fleet.hpp"

namespace drover::dispatch {

class Turns {
public:
    class Turn {
    public:
        ~Turn() { turns_.give_back(*this); }
        Turn(const Turn&) = delete;
        Turn& operator=(const Turn&) = delete;

    private:
        friend class Turns;
        Turn(Turns& turns, std::string hub, TransferTurns limits, std::function<void()> given)
            : turns_(turns), hub_(std::move(hub)), limits_(limits), given_(std::move(given)) {}

        Turns& turns_;
        const std::string hub_;
        const TransferTurns limits_;
        std::function<void()> given_;
        bool has_it_ = false;
    };

    // hub: see hub_of(); empty: on none, only the host's number counts. limits: this asker's own.
    std::unique_ptr<Turn> ask(std::string hub, TransferTurns limits, std::function<void()> given);
    std::size_t taken() const;

private:
    using Calls = std::vector<std::function<void()>>;

    void give_back(Turn& turn);
    Calls next();  // with the lock held

    mutable std::mutex mutex_;
    std::size_t taken_ = 0;
    std::map<std::string, std::size_t> taken_by_hub_;
    std::list<Turn*> waiting_;
};

// The hub behind a USB path, as sysfs names it: "1-4" of "1-4.2", and the bus itself, "1", of "1-4".
std::string hub_of(std::string_view usb_path);

}  // namespace drover::dispatch
