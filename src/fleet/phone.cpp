#include "fleet/phone.hpp"

#include <algorithm>
#include <utility>

#include "base/assert.hpp"
#include "base/log.hpp"

namespace drover::fleet {
Phone::Phone(Loop& loop, std::size_t index, const Instance& instance, std::unique_ptr<Connector> connector,
             PhoneShared shared)
    : loop_(loop),
      index_(index),
      connector_(std::move(connector)),
      instance_(instance),
      shared_(shared),
      backoff_(static_cast<std::uint32_t>(std::hash<std::string>{}(instance.id))),
      boot_(loop, [this] { note(PhoneEvent::booted, "sys.boot_completed=1"); }),
      identity_(loop, [this](const Result<Question::Answer>& answer) { on_identity(answer); }) {
    gate_.when_idle([this] {
        if (out_of_service_ || !give_way_to_.empty()) loop_.arm_after(rest_, Duration::zero());
    });
    connector_->on_hint([this] { on_hint(); });
    const Upkeep* upkeep = shared_.upkeep;
    if (upkeep && (upkeep->alive_every.count() > 0 || upkeep->health_every.count() > 0 || !upkeep->ladder.empty()))
        care_ = std::make_unique<Caretaker>(loop, *upkeep, *shared_.counts, static_cast<Patient&>(*this));
}

Phone::~Phone() {
    DROVER_ASSERT(waiters_.empty() && listeners_.empty());
    *self_ = nullptr;
    if (shared_.identities) shared_.identities->withdraw(instance_.id, this);
}

void Phone::wait(Waiter& waiter) {
    if (out_of_service_) return waiter.on_hopeless(*out_of_service_);
    if (unfit_) return waiter.on_hopeless(*unfit_);
    if (carrier_ && settled_) return waiter.on_ready(*carrier_);
    if (unauthorized_) return waiter.on_hopeless(*unauthorized_);
    waiters_.push_back(&waiter);
    if (!trying_) {
        // Somebody asks now: the back-off of older failures does not hold them up.
        retry_.cancel();
        try_now();
    }
}

void Phone::leave(Waiter& waiter) { std::erase(waiters_, &waiter); }

void Phone::try_now() {
    trying_ = true;
    has_turn_ = false;
    connector_->start(*this);
}

void Phone::on_phase(Phase phase, PhoneEvent event, std::string_view why) {
    phase_ = phase;
    const bool only_open = event == PhoneEvent::transport_open || event == PhoneEvent::authorizing;
    if (!in_doubt_ || !only_open) note(event, why);
    for (Waiter* w : waiters_) w->on_progress(phase);
}

void Phone::note(PhoneEvent event, std::string_view why) {
    if (tracker_.apply(event, why, std::chrono::system_clock::now())) tell_state();
}

void Phone::watch(StateListener& listener) {
    listeners_.push_back(&listener);
    if (care_) care_->set_watched(true);
    if (carrier_ && state().condition == Condition::booting) boot_.start(*carrier_);
    if (!trying_ && !retry_.armed() && !out_of_service_) try_now();
}

void Phone::unwatch(StateListener& listener) {
    std::erase(listeners_, &listener);
    if (!listeners_.empty()) return;
    boot_.stop();
    if (care_) care_->set_watched(false);
    answers();  // nobody asks any more
}

void Phone::tell_state() {
    log::debug("{}: {}: {}", instance_.id, to_string(state().condition), state().why);
    for (StateListener* l : listeners_) l->on_state(*this);
    tell_care();
}

void Phone::tell_care() {
    if (care_) care_->on_state(state().condition == Condition::running, !out_of_service_);
}

void Phone::let_go() {
    if (!waiters_.empty() || !listeners_.empty() || !gate_.idle()) return;
    retry_.cancel();
    drop_link();
}

void Phone::on_online(adb::Carrier& carrier) {
    carrier_ = &carrier;
    online_at_ = loop_.now();
    settled_ = !shared_.identities || !adb::takes_commands(carrier.peer().banner.state);
    in_doubt_ = in_doubt_ && !listeners_.empty() && adb::takes_commands(carrier.peer().banner.state);
    if (!in_doubt_) note(online_event(carrier.peer().banner.state), "adbd is up");
    unauthorized_.reset();
    last_error_.reset();
    if (!listeners_.empty() && state().condition == Condition::booting) boot_.start(carrier);
    if (care_) care_->on_online(carrier, in_doubt_);
    if (!settled_) return ask_identity();
    tell([&](Waiter& w) { w.on_ready(carrier); });
}

void Phone::on_unauthorized(const Error& why) {
    unauthorized_ = why;
    last_error_ = why;
    note(PhoneEvent::unauthorized, why.message);
    tell([&](Waiter& w) { w.on_hopeless(why); });
}

// One at a time, those who wait now: being told, they may wait again, and make others leave.
void Phone::tell(const std::function<void(Waiter&)>& call) {
    for (std::size_t n = waiters_.size(); n > 0 && !waiters_.empty(); --n) {
        Waiter* const first = waiters_.front();
        waiters_.erase(waiters_.begin());
        call(*first);
    }
}

// The link is over, by whoever's wish; what is bound to it ends.
void Phone::forget_link() {
    boot_.stop();
    identity_.stop();
    ask_identity_.cancel();
    twin_.cancel();
    no_reboot_.cancel();
    give_way_to_.clear();
    asked_for_way_ = false;
    if (care_) care_->on_down();
    carrier_ = nullptr;
    trying_ = false;
    unauthorized_.reset();
    if (shared_.identities) shared_.identities->release(instance_.id, this);
}

void Phone::on_down(const Error& why, PhoneEvent event, bool hopeless) {
    const bool was_stable = link_is_stable();
    forget_link();
    if (event == PhoneEvent::detached) in_doubt_ = false;
    note(event, why.message);
    last_error_ = why;
    if (!out_of_service_) try_later(was_stable, hopeless);
    if (hopeless) tell([&](Waiter& w) { w.on_hopeless(why); });
    // Whoever was told has seen how far it got; until the next attempt nothing is connected.
    if (!trying_) phase_ = Phase::connect;
}

void Phone::try_later(bool was_stable, bool hopeless) {
    const Upkeep* const upkeep = shared_.upkeep;
    if (!upkeep) return loop_.arm_after(retry_, backoff_.next(loop_.now(), was_stable, hopeless, nullptr));
    const Backoff::Breaker breaker{upkeep->breaker_failures, upkeep->breaker_pause};
    loop_.arm_after(retry_, backoff_.next(loop_.now(), was_stable, hopeless, &breaker));
    if (backoff_.failures() == breaker.failures)
        log::info("{}: failed {} times in a row: tried less often from now on", instance_.id, breaker.failures);
}

// By itself, so within what all phones together may do.
void Phone::on_retry() {
    if (shared_.pace && !has_turn_) {
        const auto turn = shared_.pace->take(loop_.now());
        has_turn_ = turn.granted;
        if (turn.wait > Duration::zero()) return loop_.arm_after(retry_, turn.wait);
    }
    try_now();
}

// It was plugged in, or is listed again: it would be a pity to sleep on.
void Phone::on_hint() {
    if (trying_ || !retry_.armed()) return;
    retry_.cancel();
    backoff_.forget();
    try_now();
}

}  // namespace drover::fleet
