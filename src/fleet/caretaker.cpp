#include "fleet/caretaker.hpp"

#include "base/log.hpp"

namespace drover::fleet {

Caretaker::Caretaker(Loop& loop, const Upkeep& upkeep, RecoveryCounts& counts, Patient& patient)
    : loop_(loop),
      upkeep_(upkeep),
      counts_(counts),
      patient_(patient),
      jitter_(static_cast<std::uint32_t>(std::hash<std::string>{}(patient.name()))),
      ladder_(upkeep.ladder),
      question_(loop, [this](const Result<Question::Answer>& answer) { on_answer(answer); }),
      pulse_(
          loop, upkeep, [this] { return patient_.busy(); }, [this] { patient_.does_not_answer(); },
          [this] { patient_.answers(); }) {}

void Caretaker::set_watched(bool watched) {
    watched_ = watched;
    if (watched) {
        if (carrier_) on_online(*carrier_);
    } else {
        question_.stop();
        pulse_.stop();
        health_timer_.cancel();
    }
    on_state(runs_, expected_);
}

void Caretaker::on_online(adb::Carrier& carrier, bool in_doubt) {
    carrier_ = &carrier;
    if (!watched_ || question_.asking()) return;
    const auto spread = [&](Duration every) { return Duration(jitter_() % static_cast<std::uint64_t>(every.count())); };
    if (!pulse_.runs() && upkeep_.alive_every.count() > 0 && adb::takes_commands(carrier.peer().banner.state))
        pulse_.start(carrier, in_doubt ? Duration::zero() : spread(upkeep_.alive_every));
    if (upkeep_.health_every.count() == 0) return;
    // With limits at once: what it was when the phone was seen last says little. Else spread over the time, not to ask a whole
    // rack at the same moment.
    const HealthLimits& l = upkeep_.limits;
    const bool limited = l.battery_min_percent || l.temperature_max_celsius || l.storage_min_mib;
    loop_.arm_after(health_timer_, limited ? Duration::zero() : spread(upkeep_.health_every));
}

void Caretaker::on_down() {
    carrier_ = nullptr;
    pulse_.stop();
    question_.stop();
    health_timer_.cancel();
}

void Caretaker::read_health() {
    if (carrier_) question_.ask(*carrier_, kHealthLine, kAnswerMax);
}

void Caretaker::on_answer(const Result<Question::Answer>& answer) {
    loop_.arm_after(health_timer_, upkeep_.health_every);
    if (!answer) {
        log::debug("{}: its health cannot be read: {}", patient_.name(), answer.error().message);
        if (answer.error().code == Code::open_deadline) pulse_.missed();
        return;
    }
    pulse_.heard();
    const Health before = health_.value_or(Health());
    health_ = parse_health(answer->text);
    // What it does not tell any more is as it was told last: silence is no word that it is well again.
    if (!health_->battery_percent) health_->battery_percent = before.battery_percent;
    if (!health_->temperature_decicelsius) health_->temperature_decicelsius = before.temperature_decicelsius;
    if (!health_->storage_free_mib) health_->storage_free_mib = before.storage_free_mib;
    health_->read_at = std::chrono::system_clock::now();
    log::debug("{}: {}", patient_.name(), to_string(*health_));
    patient_.set_unfit(unfit(*health_, upkeep_.limits));
}

void Caretaker::on_state(bool runs, bool expected) {
    runs_ = runs;
    expected_ = expected;
    if (!expected) health_.reset();  // nobody looks at it, nor knows how it is when it is back
    if (runs || !expected || !watched_) {
        if (const auto helped = ladder_.well(); helped && runs) {
            counts_.count(counts_.helped, *helped);
            log::info("{}: runs again after recovery: {}", patient_.name(), to_string(*helped));
        }
    } else {
        ladder_.trouble(loop_.now());
    }
    arm_ladder();
}

void Caretaker::arm_ladder() {
    if (const auto due = ladder_.due()) {
        loop_.arm(ladder_timer_, *due);
    } else {
        ladder_timer_.cancel();
    }
}

void Caretaker::climb() {
    if (patient_.busy()) return loop_.arm_after(ladder_timer_, kBusyWait);
    if (const auto rung = ladder_.take(loop_.now(), false)) try_rung(*rung);
    arm_ladder();
}

void Caretaker::try_rung(const Rung& rung) {
    counts_.count(counts_.tried, rung.kind);
    log::warn("{}: recovery: {}", patient_.name(), to_string(rung.kind));
    bool done = true;
    switch (rung.kind) {
        case RungKind::reconnect: patient_.reconnect(); break;
        case RungKind::usb_reset: done = patient_.reset_usb(); break;
        case RungKind::reboot: done = patient_.reboot(rung.check); break;
        case RungKind::ask: patient_.ask_a_person(); break;
    }
    if (done) return;
    counts_.count(counts_.skipped, rung.kind);
    log::warn("{}: recovery: {} is not possible now", patient_.name(), to_string(rung.kind));
}

}  // namespace drover::fleet
