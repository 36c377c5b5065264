// Who is who, where more than one source shows phones: the same phone may be in the inventory by TCP, on USB, and in an adb
// server's list. Each phone that comes online claims the serial number it tells of itself (ro.serialno); the second one to
// claim the same is the same phone, and gets no commands, so that none can reach a phone twice. Of two that the inventory names
// the earlier one is to have it: a later one that came first gives way as soon as no command needs it.
//
// Equal serial numbers at two different USB ports are two phones: some makers give all of theirs the same. A phone that tells
// no serial number stands for itself.
//
// Threads: any (a mutex; used once per connection). Ownership: shared by all generations of a fleet. Failure: none.
#pragma once
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>

namespace drover::fleet {

class IdentityBook {
public:
    // Of two that are the same phone, one that the inventory names stays.
    enum class Rank : std::uint8_t { discovered, inventory };
    // Empty: granted, until release(). Else the id of the phone that has it. `order`: its place in the inventory. `give_way` is
    // called, on any thread and with the book locked, when that phone is to have it; `asked` says that the holder was asked so:
    // it may be granted a moment later. `owner` tells two of the same id apart: the one that an inventory read again has
    // made takes over, and the older one has nothing to release any more.
    using GiveWay = std::function<void(const std::string& to)>;
    std::string claim(const std::string& id, Rank rank, const std::string& serial, const std::string& usb_path,
                      std::size_t order = 0, GiveWay give_way = {}, bool* asked = nullptr, const void* owner = nullptr);
    void release(const std::string& id, const void* owner = nullptr);
    // release(), and what it asked others for it does not want any more: it is out of service, or gone.
    void withdraw(const std::string& id, const void* owner = nullptr);
    // The inventory was read again: what it has been granted stays, and who asks from now on meets it there.
    void set_place(const std::string& id, Rank rank, std::size_t order, const void* owner = nullptr);
    // What `from` has is kept for `to` until that one claims or releases it. False: `to` does not want it any more.
    bool hand_over(const std::string& from, const std::string& to);

    // Discovered ones that turned out to be another phone, by id, and which one. They stay out of the fleet until that one is
    // forgotten.
    std::map<std::string, std::string> twins() const;
    // That phone is in the fleet no more.
    void forget(const std::string& id);
    // `found` is called, from a loop, whenever twins() has grown.
    void on_twin(std::function<void()> found);

private:
    struct Holder {
        std::string id;
        Rank rank;
        std::string usb_path;
        std::size_t order = 0;
        GiveWay give_way = {};
        const void* owner = nullptr;  // null: whoever has the id
    };
    void release_locked(const std::string& id, const void* owner);

    mutable std::mutex mutex_;
    std::multimap<std::string, Holder> holders_;  // by serial number
    std::map<std::string, std::string> twins_;
    std::set<std::string> asked_;                           // who has asked a holder to give way
    std::set<std::pair<std::string, std::string>> warned_;  // of the inventory, the earlier one first
    std::function<void()> found_;
};

}  // namespace drover::fleet
