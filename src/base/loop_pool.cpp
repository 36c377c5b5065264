#include "base/loop_pool.hpp"

#include <algorithm>

#include "base/assert.hpp"
#include "base/log.hpp"
#include "base/poll_set.hpp"
#include "base/quiet_thread.hpp"

namespace drover {

Loop::Loop(Duration tick)
    : wheel_(Clock::now(), tick),
      wake_(io_),
      read_buffer_(std::make_unique<std::array<std::uint8_t, kReadBufferBytes>>()) {
    PollSet::of(*this);  // now, while there are descriptors: the first phone may come when the last is gone
}

void Loop::arm(Timer& timer, TimePoint due) {
    wheel_.arm(timer, due);
    // A cancelled timer may leave the wake-up too early; that costs one empty advance(), a re-arm would cost a system call.
    if (due < wake_at_) rearm();
}

void Loop::rearm() {
    const auto next = wheel_.next_due();
    if (!next) {
        wake_at_ = TimePoint::max();
        return;
    }
    wake_at_ = *next;
    wake_.expires_at(wake_at_);
    wake_.async_wait([this](const boost::system::error_code& ec) {
        if (ec) return;  // re-armed
        wake_at_ = TimePoint::max();
        wheel_.advance(now());
        rearm();
    });
}

LoopPool::LoopPool(std::size_t loops, Duration tick) {
    if (loops == 0) loops = std::max(1u, std::thread::hardware_concurrency());
    DROVER_ASSERT(loops <= 256);
    for (std::size_t i = 0; i < loops; ++i) {
        loops_.push_back(std::make_unique<Loop>(tick));
        guards_.emplace_back(loops_.back()->io_.get_executor());
    }
    std::vector<std::promise<void>> started(loops);
    try {
        for (std::size_t i = 0; i < loops; ++i) {
            Loop* loop = loops_[i].get();
            threads_.push_back(quiet_thread([loop, &ready = started[i]] {
                loop->thread_ = std::this_thread::get_id();
                ready.set_value();
                loop->io_.run();
            }));
        }
    } catch (...) {  // no more threads for this process: those that run are joined before anybody hears of it
        for (std::size_t i = 0; i < threads_.size(); ++i) started[i].get_future().wait();
        stop();
        throw;
    }
    for (auto& s : started) s.get_future().wait();
}

LoopPool::~LoopPool() { stop(); }

void LoopPool::stop() {
    for (auto& guard : guards_) guard.reset();
    for (auto& loop : loops_) loop->io_.stop();
    for (auto& thread : threads_) {
        if (thread.joinable()) thread.join();
    }
}

}  // namespace drover
