// The status tracker: what happened to a phone, as the documented numbers. A pure state machine; time is handed in.
//
// Two axes make the state: the condition (what the link and adb say) and the intent (what we are doing to the phone). Both
// tables stand in state.cpp. status 0..5 and activity 0..7 are the HTTP API's documented numbers; adb_state is adb's own
// (banner.hpp). Threads: one at a time, the phone's loop; values it returns are the caller's. Failure: none; an event that
// means nothing in a condition changes nothing.
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adb/banner.hpp"

namespace drover::fleet {

enum class Condition : std::uint8_t {
    absent,          // in the inventory, not attached; a refused or timed-out connect stays here
    connecting,      // transport open, no CNXN yet
    authorizing,     // trying keys
    unauthorized,    // waits for a person
    no_permissions,  // this host may not open the USB device
    booting,         // adbd is up, Android is not
    running,         // sys.boot_completed=1
    bootloader,
    recovery,
    sideload,
    rescue,
    foreign,      // it speaks ADB, but its banner names no phone
    offline,      // was up or is seen, and does not talk now
    server_down,  // its adb server does not answer
};
constexpr std::size_t kConditions = 14;

enum class PhoneEvent : std::uint8_t {
    no_connection,   // refused or timed out
    transport_open,  // TCP connected, USB claimed, listed by the server
    authorizing,
    unauthorized,
    no_permissions,
    online_device,
    online_bootloader,
    online_recovery,
    online_sideload,
    online_rescue,
    online_foreign,
    booted,     // sys.boot_completed=1 was read
    link_lost,  // an open transport broke
    detached,   // unplugged, or gone from the server's list
    server_down,
    unusable,  // it is there, and does not talk: listed as offline, its interface held by others, no answer to any question
    attempt,  // is tried anew: says nothing of the phone, changes nothing
};
constexpr std::size_t kPhoneEvents = 17;

enum class Intent : std::uint8_t { none, reboot, shutdown, drain, disabled };

// api: 0 unknown, 1 stopped, 2 running, 3 being brought offline, 4 starting, 5 shut down.
enum class Status : std::uint8_t { unknown = 0, stopped = 1, running = 2, stopping = 3, starting = 4, shut_down = 5 };
// api: 7, a second "data loaded", is never emitted.
enum class Activity : std::uint8_t {
    idle = 0,
    restoring = 1,
    data_loaded = 2,
    streaming = 3,
    backing_up = 4,
    backup_failed = 5,
    restore_failed = 6
};

std::string_view to_string(Condition condition);
std::string_view to_string(PhoneEvent event);
adb::AdbState adb_state_of(Condition condition);
PhoneEvent online_event(adb::AdbState banner);  // what a phone that introduces itself so is

// The table. `was_up`: the phone has been online since it was last attached.
Condition next(Condition condition, PhoneEvent event, bool was_up);
Status status_of(Condition condition, Intent intent);

struct PhoneState {
    Condition condition = Condition::absent;
    Intent intent = Intent::none;
    Activity activity = Activity::idle;
    std::string why;  // one line: what brought it here
    std::chrono::system_clock::time_point since;

    Status status() const { return status_of(condition, intent); }
    adb::AdbState adb_state() const { return adb_state_of(condition); }
};

class Tracker {
public:
    static constexpr std::size_t kHistoryMax = 64;  // states kept per phone, the newest last
    static constexpr std::size_t kWhyBytesMax = 256;

    explicit Tracker(std::chrono::system_clock::time_point now) {
        state_.why = "not tried yet";
        state_.since = now;
    }

    // True: the state changed (condition, intent or activity); subscribers are to be told of state().
    bool apply(PhoneEvent event, std::string_view why, std::chrono::system_clock::time_point now);
    bool set_intent(Intent intent, std::string_view why, std::chrono::system_clock::time_point now);
    bool set_activity(Activity activity, std::string_view why, std::chrono::system_clock::time_point now);

    const PhoneState& state() const { return state_; }
    const std::vector<PhoneState>& history() const { return history_; }  // what came before state()

private:
    bool move_to(PhoneState fresh, std::string_view why, std::chrono::system_clock::time_point now);

    PhoneState state_;
    std::vector<PhoneState> history_;
    bool was_up_ = false;
};

}  // namespace drover::fleet
