#include "base/timer_wheel.hpp"

#include <algorithm>

#include "base/assert.hpp"

namespace drover {

void Timer::cancel() {
    if (wheel_) wheel_->unlink(*this);
}

TimerWheel::~TimerWheel() { DROVER_ASSERT(armed_ == 0); }

// Rounded up, so that a timer never fires early.
std::uint64_t TimerWheel::tick_of(TimePoint t) const {
    if (t <= start_) return 0;
    return static_cast<std::uint64_t>((t - start_ + tick_ - Duration(1)) / tick_);
}

void TimerWheel::arm(Timer& timer, TimePoint due) {
    timer.cancel();
    timer.wheel_ = this;
    timer.due_tick_ = std::max(tick_of(due), now_tick_ + 1);
    Timer*& head = slots_[timer.due_tick_ % kSlots];
    timer.prev_ = nullptr;
    timer.next_ = head;
    if (head) head->prev_ = &timer;
    head = &timer;
    ++armed_;
}

void TimerWheel::unlink(Timer& timer) {
    DROVER_ASSERT(timer.wheel_ == this);
    if (timer.prev_) {
        timer.prev_->next_ = timer.next_;
    } else if (firing_ == &timer) {
        firing_ = timer.next_;
    } else {
        slots_[timer.due_tick_ % kSlots] = timer.next_;
    }
    if (timer.next_) timer.next_->prev_ = timer.prev_;
    timer.wheel_ = nullptr;
    timer.prev_ = timer.next_ = nullptr;
    --armed_;
}

void TimerWheel::advance(TimePoint now) {
    // Whole ticks only: a tick is over when its end has passed.
    const std::uint64_t target = now <= start_ ? 0 : static_cast<std::uint64_t>((now - start_) / tick_);
    if (target <= now_tick_) return;
    const std::uint64_t first = now_tick_ + 1;
    const std::uint64_t span = std::min<std::uint64_t>(target - now_tick_, kSlots);
    now_tick_ = target;
    if (armed_ == 0) return;
    Timer* last = nullptr;
    for (std::uint64_t i = 0; i < span; ++i) {
        Timer* next = nullptr;
        for (Timer* t = slots_[(first + i) % kSlots]; t; t = next) {
            next = t->next_;
            if (t->due_tick_ > target) continue;
            // Move to the end of the firing list: a callback may cancel any timer, due or not.
            unlink(*t);
            t->wheel_ = this;
            t->prev_ = last;
            (last ? last->next_ : firing_) = t;
            last = t;
            ++armed_;
        }
    }
    while (firing_) {
        Timer& t = *firing_;
        unlink(t);
        // Copied first: the callback may destroy its timer.
        void* const owner = t.owner_;
        const auto call = t.on_due_;
        call(owner);
    }
}

std::optional<TimePoint> TimerWheel::next_due() const {
    if (armed_ == 0) return std::nullopt;
    for (std::uint64_t i = 1; i <= kSlots; ++i) {
        if (slots_[(now_tick_ + i) % kSlots]) return start_ + tick_ * static_cast<std::int64_t>(now_tick_ + i);
    }
    return start_ + tick_ * static_cast<std::int64_t>(now_tick_ + 1);
}

}  // namespace drover
