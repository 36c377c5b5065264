#include "fleet/state.hpp"

#include <array>
#include <utility>

#include "base/utf8.hpp"

namespace drover::fleet {
namespace {

using enum Condition;

// What becomes of a phone whose link is gone: `offline` where it had been up, else `absent`. Not a condition of its own.
constexpr auto kGone = static_cast<Condition>(200);

struct ConditionFacts {
    std::string_view name;
    adb::AdbState adb_state;
    Status status;  // without any intent
    bool is_there;  // on its cable or its port
};
constexpr std::array<ConditionFacts, kConditions> kFacts{{
    {"absent", adb::AdbState::offline, Status::stopped, false},
    {"connecting", adb::AdbState::connecting, Status::starting, true},
    {"authorizing", adb::AdbState::authorizing, Status::starting, true},
    {"unauthorized", adb::AdbState::unauthorized, Status::unknown, true},
    {"no permissions", adb::AdbState::no_permissions, Status::unknown, true},
    {"booting", adb::AdbState::device, Status::starting, true},
    {"running", adb::AdbState::device, Status::running, true},
    {"bootloader", adb::AdbState::bootloader, Status::starting, true},
    {"recovery", adb::AdbState::recovery, Status::starting, true},
    {"sideload", adb::AdbState::sideload, Status::starting, true},
    {"rescue", adb::AdbState::rescue, Status::starting, true},
    {"foreign", adb::AdbState::host, Status::unknown, true},
    {"offline", adb::AdbState::offline, Status::unknown, false},
    {"server down", adb::AdbState::offline, Status::unknown, false},
}};
constexpr std::array<std::string_view, kPhoneEvents> kEventNames{
    "no_connection",     "transport_open",  "authorizing",     "unauthorized",  "no_permissions", "online_device",
    "online_bootloader", "online_recovery", "online_sideload", "online_rescue", "online_foreign", "booted",
    "link_lost",         "detached",        "server_down",     "unusable",      "attempt"};

using Line = std::array<Condition, kPhoneEvents>;
// A line per condition; columns in the order of PhoneEvent. All lines but the marked cells are alike: most events say by
// themselves where the phone is.
constexpr Line line(Condition self, Condition no_connection, Condition device, Condition booted, Condition lost) {
    return {no_connection, connecting, authorizing, unauthorized, no_permissions, device, bootloader,
            recovery,      sideload,   rescue,      foreign,      booted,         lost,   absent,
            server_down,   offline,    self};
}
// clang-format off
constexpr std::array<Line, kConditions> kTable{{
    //   condition        no_connection  online_device  booted          link_lost
    line(absent,          absent,        booting,       absent,         absent),
    line(connecting,      kGone,         booting,       connecting,     kGone),
    line(authorizing,     kGone,         booting,       authorizing,    kGone),
    line(unauthorized,    kGone,         booting,       unauthorized,   kGone),
    line(no_permissions,  no_permissions, booting,      no_permissions, kGone),
    line(booting,         kGone,         booting,       running,        kGone),
    line(running,         kGone,         booting,       running,        kGone),
    line(bootloader,      kGone,         booting,       bootloader,     kGone),
    line(recovery,        kGone,         booting,       recovery,       kGone),
    line(sideload,        kGone,         booting,       sideload,       kGone),
    line(rescue,          kGone,         booting,       rescue,         kGone),
    line(foreign,         kGone,         booting,       foreign,        kGone),
    line(offline,         offline,       booting,       offline,        offline),
    line(server_down,     kGone,         booting,       server_down,    kGone),
}};
// clang-format on

const ConditionFacts& facts(Condition c) { return kFacts[static_cast<std::size_t>(c)]; }

}  // namespace

std::string_view to_string(Condition condition) { return facts(condition).name; }
std::string_view to_string(PhoneEvent event) { return kEventNames[static_cast<std::size_t>(event)]; }
adb::AdbState adb_state_of(Condition condition) { return facts(condition).adb_state; }

PhoneEvent online_event(adb::AdbState banner) {
    switch (banner) {
        case adb::AdbState::device: return PhoneEvent::online_device;
        case adb::AdbState::recovery: return PhoneEvent::online_recovery;
        case adb::AdbState::bootloader: return PhoneEvent::online_bootloader;
        case adb::AdbState::sideload: return PhoneEvent::online_sideload;
        case adb::AdbState::rescue: return PhoneEvent::online_rescue;
        default: return PhoneEvent::online_foreign;
    }
}

Condition next(Condition condition, PhoneEvent event, bool was_up) {
    const Condition to = kTable[static_cast<std::size_t>(condition)][static_cast<std::size_t>(event)];
    if (to != kGone) return to;
    return was_up ? offline : absent;
}

Status status_of(Condition condition, Intent intent) {
    const ConditionFacts& f = facts(condition);
    switch (intent) {
        case Intent::none: return f.status;
        case Intent::reboot:
        case Intent::drain: return f.is_there ? Status::stopping : f.status;
        case Intent::shutdown: return f.is_there ? Status::stopping : Status::shut_down;
        case Intent::disabled: return Status::shut_down;
    }
    return f.status;
}

bool Tracker::apply(PhoneEvent event, std::string_view why, std::chrono::system_clock::time_point now) {
    PhoneState fresh = state_;
    fresh.condition = next(state_.condition, event, was_up_);
    if (facts(fresh.condition).adb_state == adb::AdbState::device || fresh.condition == recovery) was_up_ = true;
    if (event == PhoneEvent::detached) was_up_ = false;
    // A phone that came back has done what it was told: the reboot or the shutdown is over.
    const bool came_back = !facts(state_.condition).is_there && facts(fresh.condition).is_there;
    if (came_back && (fresh.intent == Intent::reboot || fresh.intent == Intent::shutdown)) fresh.intent = Intent::none;
    return move_to(std::move(fresh), why, now);
}

bool Tracker::set_intent(Intent intent, std::string_view why, std::chrono::system_clock::time_point now) {
    PhoneState fresh = state_;
    fresh.intent = intent;
    return move_to(std::move(fresh), why, now);
}

bool Tracker::set_activity(Activity activity, std::string_view why, std::chrono::system_clock::time_point now) {
    PhoneState fresh = state_;
    fresh.activity = activity;
    return move_to(std::move(fresh), why, now);
}

bool Tracker::move_to(PhoneState fresh, std::string_view why, std::chrono::system_clock::time_point now) {
    std::string reason(why.substr(0, utf8_floor(why, kWhyBytesMax)));
    if (fresh.condition == state_.condition && fresh.intent == state_.intent && fresh.activity == state_.activity) {
        // Still not there, perhaps for another reason now: that is no change, but the newest reason is the one to show.
        if (!facts(state_.condition).is_there && !reason.empty()) state_.why = std::move(reason);
        return false;
    }
    fresh.why = std::move(reason);
    fresh.since = now;
    if (history_.size() == kHistoryMax) history_.erase(history_.begin());
    history_.push_back(std::exchange(state_, std::move(fresh)));
    return true;
}

}  // namespace drover::fleet
