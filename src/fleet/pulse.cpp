#include "fleet/pulse.hpp"

namespace drover::fleet {
namespace {

constexpr std::string_view kNoSuchService = "drover-alive:";

}  // namespace

void Pulse::start(adb::Carrier& carrier, Duration first) {
    stop();
    if (upkeep_.alive_every.count() == 0) return;
    carrier_ = &carrier;
    loop_.arm_after(timer_, first);
}

void Pulse::stop() {
    hang_up();
    carrier_ = nullptr;
    misses_ = 0;
    timer_.cancel();
}

void Pulse::hang_up() {
    if (const auto id = std::exchange(asked_, 0)) carrier_->close(id);
}

void Pulse::heard() {
    if (!carrier_) return;
    ask_later();
    alive_();
}

void Pulse::ask_later() {
    hang_up();
    misses_ = 0;
    loop_.arm_after(timer_, upkeep_.alive_every);
}

// What to do now is done from the timer: this may come from inside the link's own callbacks.
void Pulse::missed() {
    if (!carrier_) return;
    hang_up();
    if (busy_()) return ask_later();
    ++misses_;
    loop_.arm_after(timer_, Duration::zero());
}

void Pulse::on_timer() {
    if (asked_) return missed();
    if (busy_()) return ask_later();
    if (misses_ < kMissesMax) return ask();
    stop();
    silent_();
}

void Pulse::ask() {
    const auto id = carrier_->open(kNoSuchService, *this);
    asked_ = id ? *id : 0;
    loop_.arm_after(timer_, id ? upkeep_.alive_answer : upkeep_.alive_every);
}

// A lost link is the connector's to tell. A server that had no answer from the phone says so in its own time.
void Pulse::on_closed(const std::optional<Error>& why) {
    asked_ = 0;
    if (why && why->code == Code::open_deadline) return missed();
    if (!why || why->code == Code::refused) return heard();
    if (carrier_) ask_later();
}

}  // namespace drover::fleet
