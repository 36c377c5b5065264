// What keeps a phone well, and apart from its twins: service, health, recovery, identity.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "adb/shell_call.hpp"
#include "base/assert.hpp"
#include "base/log.hpp"
#include "fleet/phone.hpp"

namespace drover::fleet {

void Phone::set_service(std::optional<Error> out_of_service) {
    const bool fresh = out_of_service && !out_of_service_;
    out_of_service_ = std::move(out_of_service);
    tell_care();  // also where its state stays: it was unfit
    if (out_of_service_) {
        // Where it was unfit its state stays; who waits until it runs again has to hear of it all the same.
        if (!update_intent(out_of_service_->message) && fresh) tell_state();
        tell([&](Waiter& w) { w.on_hopeless(*out_of_service_); });
        return rest();
    }
    update_intent("back in service");
    if (!listeners_.empty() && !trying_ && !retry_.armed()) try_now();
}

// Its link stays: only that way it can be seen to be well again.
void Phone::set_unfit(std::optional<std::string> why) {
    if (!why && !unfit_) return;
    const bool fresh = why && (!unfit_ || unfit_->message != *why);
    unfit_ = why ? std::optional(Error(Code::disabled, *why)) : std::nullopt;
    is_unfit_ = unfit_.has_value();
    update_intent(why ? *why : "its health is within limits again");
    if (fresh) log::warn("{}: takes no commands: {}", instance_.id, *why);
    if (!why) log::info("{}: takes commands again", instance_.id);
    if (unfit_) tell([&](Waiter& w) { w.on_hopeless(*unfit_); });
}

bool Phone::update_intent(std::string_view why) {
    const Intent intent = out_of_service_ || unfit_ ? Intent::disabled : Intent::none;
    const bool changed = tracker_.set_intent(intent, why, std::chrono::system_clock::now());
    if (changed) tell_state();
    return changed;
}

// Closes the link of a phone that is out of service, or another one's by right, once nothing runs on it.
void Phone::rest() {
    if (gate_.busy()) return;
    if (!out_of_service_) return give_way();
    retry_.cancel();
    drop_link();
    if (shared_.identities) shared_.identities->withdraw(instance_.id, this);
    unfit_.reset();
    is_unfit_ = false;
    note(PhoneEvent::detached, out_of_service_->message);
}

void Phone::drop_link() {
    const bool was_trying = trying_;
    if (link_is_stable()) backoff_.lost(loop_.now());
    forget_link();
    phase_ = Phase::connect;
    if (was_trying) connector_->stop();
}

void Phone::reconnect() {
    drop_link();
    retry_.cancel();
    note(PhoneEvent::link_lost, "recovery: reconnect");
    try_now();
}

// The link was up all the time and still came to nothing: it counts as a failed attempt, however long it lived.
void Phone::does_not_answer() {
    const Error why(Code::link_lost, "it does not answer");
    if (!std::exchange(in_doubt_, true))
        log::warn("{}: it does not answer any more: its link is dropped", instance_.id);
    drop_link();
    last_error_ = why;
    note(PhoneEvent::unusable, why.message);
    if (!out_of_service_) try_later(false, false);
}

void Phone::answers() {
    if (!std::exchange(in_doubt_, false) || !carrier_) return;
    note(online_event(carrier_->peer().banner.state), "it answers again");
    if (!listeners_.empty() && state().condition == Condition::booting) boot_.start(*carrier_);
}

bool Phone::reboot(Duration check) {
    if (!carrier_) return false;
    const auto stream = carrier_->open("reboot:", reboot_stream_);
    if (!stream) return false;
    reboot_stream_.id = *stream;
    show_reboot(true, "recovery: reboot");
    loop_.arm_after(no_reboot_, check);
    return true;
}

// It took the word, and its link has been there all the time.
void Phone::on_no_reboot() {
    if (reboot_stream_.id != 0) carrier_->close(std::exchange(reboot_stream_.id, 0));
    show_reboot(false, "it did not reboot");
}

void Phone::begin_activity(Activity during, std::string_view what) {
    under_way_.push_back(during);
    show_activity(during, what);
}

void Phone::end_activity(Activity during, Activity then, std::string_view what) {
    const auto it = std::find(under_way_.begin(), under_way_.end(), during);
    DROVER_ASSERT(it != under_way_.end());
    under_way_.erase(it);
    show_activity(under_way_.empty() ? then : under_way_.back(), what);
}

void Phone::show_activity(Activity activity, std::string_view what) {
    if (tracker_.set_activity(activity, what, std::chrono::system_clock::now())) tell_state();
}

void Phone::show_reboot(bool coming, std::string_view what) {
    no_reboot_.cancel();  // whoever says so last looks after it
    if (!coming) {
        if (state().intent == Intent::reboot) update_intent(what);
    } else if (!out_of_service_ && !unfit_ &&
               tracker_.set_intent(Intent::reboot, what, std::chrono::system_clock::now())) {
        tell_state();
    }
}

void Phone::ask_a_person() {
    log::error("{}: a person has to look at it: {}: {}", instance_.id, to_string(state().condition), state().why);
}

void Phone::set_place(std::size_t index, IdentityBook::Rank rank) {
    index_ = index;
    shared_.rank = rank;
    if (shared_.identities) shared_.identities->set_place(instance_.id, rank, index, this);
}

void Phone::ask_identity() {
    if (carrier_) identity_.ask(*carrier_, "getprop ro.serialno", kIdentityMax);
}

void Phone::on_identity(const Result<Question::Answer>& answer) {
    constexpr auto kAskAgain = std::chrono::seconds(1);
    constexpr std::size_t kSerialMax = 128;
    if (!answer) return loop_.arm_after(ask_identity_, kAskAgain);
    // What a shell without getprop says is no serial number: all such phones would be one.
    serial_ = answer->exit_code == 0 ? answer->text.substr(0, kSerialMax) : std::string();
    serial_.erase(std::min(serial_.find_first_of("\r\n"), serial_.size()));
    auto later = [&loop = loop_, self = self_](const std::string& to) {
        loop.post([self, to] {
            if (!*self || !(*self)->carrier_) return;
            (*self)->give_way_to_ = to;
            (*self)->rest();
        });
    };
    bool asked = false;
    const std::string other = shared_.identities->claim(instance_.id, shared_.rank, serial_, connector_->usb_path(),
                                                        index_, std::move(later), &asked, this);
    if (other.empty()) {
        settled_ = true;
        return tell([&](Waiter& w) { w.on_ready(*carrier_); });
    }
    if (asked && !std::exchange(asked_for_way_, true)) return loop_.arm_after(ask_identity_, kGiveWayMax);
    twin_of_ = other;
    loop_.arm_after(twin_, Duration::zero());
}

void Phone::give_way() {
    if (give_way_to_.empty()) return;
    if (!shared_.identities->hand_over(instance_.id, give_way_to_)) return give_way_to_.clear();
    twin_of_ = give_way_to_;
    become_twin();
}

void Phone::become_twin() {
    const Error twin(Code::disabled, fmt::format("it is the same phone as {}, by its serial number {}; that one gets "
                                                 "the commands",
                                                 twin_of_, serial_));
    drop_link();
    last_error_ = twin;
    note(PhoneEvent::no_connection, twin.message);
    loop_.arm_after(retry_, kTwinRetry);
    tell([&](Waiter& w) { w.on_hopeless(twin); });
}

}  // namespace drover::fleet
