// N threads, each running one single-threaded Asio io_context: drover's thread pool.
//
// A phone lives on one Loop for its whole life; its link, streams and timers are touched only there, without locks.
// post() may be called from any thread; everything else of a Loop only from its own thread. Nothing on a loop may block.
//
#pragma once
#include <array>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "base/timer_wheel.hpp"

namespace drover {

class Loop {
public:
    static constexpr std::size_t kReadBufferBytes = 64 * 1024;

    // tick: how exact its timers are. A finer one wakes more often.
    explicit Loop(Duration tick = TimerWheel::kTick);
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    boost::asio::io_context& io() { return io_; }

    template <class F>
    void post(F&& f) {
        if (on_this_thread()) ++posts_;
        boost::asio::post(io_, std::forward<F>(f));
    }
    // How often the loop posted to itself. When this grew during a callback, more of the same work comes soon.
    std::uint64_t posts() const { return posts_; }

    TimePoint now() const { return Clock::now(); }
    void arm(Timer& timer, TimePoint due);
    void arm_after(Timer& timer, Duration delay) { arm(timer, now() + delay); }

    // One buffer for all sockets of the loop: valid only inside the handler that reads into it.
    std::array<std::uint8_t, kReadBufferBytes>& read_buffer() { return *read_buffer_; }

    bool on_this_thread() const { return std::this_thread::get_id() == thread_; }

private:
    friend class LoopPool;
    void rearm();

    TimerWheel wheel_;  // first, so that it outlives what handlers still waiting in io_ hold
    boost::asio::io_context io_{1};
    boost::asio::steady_timer wake_;
    TimePoint wake_at_ = TimePoint::max();
    std::unique_ptr<std::array<std::uint8_t, kReadBufferBytes>> read_buffer_;
    std::thread::id thread_{};
    std::uint64_t posts_ = 0;
};

class LoopPool {
public:
    // loops: 1..256; 0 means one per core. tick: as of Loop.
    explicit LoopPool(std::size_t loops = 0, Duration tick = TimerWheel::kTick);
    // Stops and joins. What was posted but not run is destroyed, not run.
    ~LoopPool();
    LoopPool(const LoopPool&) = delete;
    LoopPool& operator=(const LoopPool&) = delete;

    std::size_t size() const { return loops_.size(); }
    Loop& at(std::size_t i) { return *loops_[i]; }

    // Runs f on loop i and waits for it. Not from a loop's own thread.
    template <class F>
    void run_on(std::size_t i, F&& f);

    void stop();

private:
    std::vector<std::unique_ptr<Loop>> loops_;
    std::vector<boost::asio::executor_work_guard<boost::asio::io_context::executor_type>> guards_;
    std::vector<std::thread> threads_;
};

}  // namespace drover

#include "base/loop_pool_run_on.hpp"
