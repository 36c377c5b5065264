#include "dispatch/link_wait.hpp"

#include <fmt/format.h>

#include <utility>

namespace drover::dispatch {

void LinkWait::start(const Limits& limits) {
    auth_ = limits.auth;
    // Armed before the wait, which may end at once; not at all when the link is there already, and serves.
    if (!phone_.serves()) {
        checks_keys_ = is_authorizing();
        phone_.loop().arm_after(deadline_, checks_keys_ ? limits.auth : limits.connect);
    }
    waiting_ = true;
    phone_.wait(*this);
}

void LinkWait::cancel() {
    deadline_.cancel();
    if (std::exchange(waiting_, false)) phone_.leave(*this);
}

void LinkWait::on_ready(adb::Carrier& carrier) {
    waiting_ = false;
    deadline_.cancel();
    const auto state = carrier.peer().banner.state;
    if (adb::takes_commands(state)) return owner_.on_link(carrier);
    owner_.on_no_link(Error(Code::not_ready, fmt::format("it is in state '{}'", adb::to_string(state))),
                      Phase::connect);
}

void LinkWait::on_hopeless(const Error& why) {
    waiting_ = false;
    // A phone out of service is not tried: how far its last attempt came says nothing of this one.
    fail(why, why.code == Code::disabled ? Phase::queue : phone_.phase());
}

// Checking keys has a limit of its own: one, however often the link is lost meanwhile.
void LinkWait::on_progress(Phase phase) {
    if (phase != Phase::auth || !waiting_ || std::exchange(checks_keys_, true)) return;
    phone_.loop().arm_after(deadline_, auth_);
}

bool LinkWait::is_authorizing() const { return phone_.state().adb_state() == adb::AdbState::authorizing; }

void LinkWait::expire() { fail(why_not(), phone_.phase()); }

void LinkWait::fail(const Error& why, Phase phase) {
    cancel();
    owner_.on_no_link(why, phase);
}

// A phone that is there but never settles its AUTH is told apart from one that is not.
Error LinkWait::why_not() const {
    if (is_authorizing()) return Error(Code::auth_deadline, "the phone checks keys and does not decide");
    if (phone_.peer()) return Error(Code::phone_not_found, "connected, but it did not tell its serial number in time");
    if (phone_.phase() == Phase::handshake) return Error(Code::phone_not_found, "connected, but no CNXN in time");
    const auto& last = phone_.last_error();
    if (last && last->code != Code::link_lost) return *last;
    return Error(Code::phone_not_found, last ? last->message : "no connection in time");
}

}  // namespace drover::dispatch
