// Deadlines for one loop: arm and cancel in O(1), because every command arms several and cancels nearly all.
//
// Pure: time is handed in, so tests use virtual time. One thread: the loop that owns it. A Timer is owned by whoever
// embeds it and leaves the wheel when it is destroyed; its callback runs at most once per arm(), from advance(), and may
// arm, cancel or destroy any timer, but not call advance(). A timer fires at or up to one tick after its time, never
// before; when advance() comes late, in the order of their ticks within one turn.
#pragma once
#include <array>
#include <chrono>
#include <cstdint>
#include <optional>

namespace drover {

using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;
using Duration = Clock::duration;

class TimerWheel;

class Timer {
public:
    // A timer that calls Method on owner:  Timer timer_ = Timer::calls<&Phone::on_deadline>(*this);
    template <auto Method, class Owner>
    static Timer calls(Owner& owner) {
        return Timer(&owner, [](void* self) { (static_cast<Owner*>(self)->*Method)(); });
    }
    ~Timer() { cancel(); }
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;

    void cancel();
    bool armed() const { return wheel_ != nullptr; }

private:
    friend class TimerWheel;
    using OnDue = void (*)(void* owner);
    Timer(void* owner, OnDue on_due) : owner_(owner), on_due_(on_due) {}

    void* owner_;
    OnDue on_due_;
    TimerWheel* wheel_ = nullptr;
    Timer* prev_ = nullptr;
    Timer* next_ = nullptr;
    std::uint64_t due_tick_ = 0;
};

class TimerWheel {
public:
    static constexpr Duration kTick = std::chrono::milliseconds(4);
    static constexpr std::size_t kSlots = 1024;  // one turn: about 4 s; later timers wait for later turns

    explicit TimerWheel(TimePoint start, Duration tick = kTick) : start_(start), tick_(tick) {}
    ~TimerWheel();
    TimerWheel(const TimerWheel&) = delete;
    TimerWheel& operator=(const TimerWheel&) = delete;

    // Arms (or re-arms) `timer`. A time that has passed fires at the next advance().
    void arm(Timer& timer, TimePoint due);
    // Fires everything due at `now`.
    void advance(TimePoint now);
    // When advance() should be called next; empty when nothing is armed. May be early, never late.
    std::optional<TimePoint> next_due() const;

    bool empty() const { return armed_ == 0; }

private:
    friend class Timer;
    void unlink(Timer& timer);
    std::uint64_t tick_of(TimePoint t) const;

    const TimePoint start_;
    const Duration tick_;
    std::uint64_t now_tick_ = 0;
    std::size_t armed_ = 0;
    std::array<Timer*, kSlots> slots_{};
    Timer* firing_ = nullptr;  // due timers taken off their slot, not yet called
};

}  // namespace drover
