// One call under way, as the dispatcher sees it: lanes (one per loop), the window over all lanes, the rows still missing.
// Private to the dispatcher. Threads: a Lane belongs to its loop; CallState's own members are for any thread.
#pragma once
#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "dispatch/dispatcher.hpp"

namespace drover::dispatch {

class Lane;

// How many phones may be at work at once. Taken and given back by lanes on different loops.
class Window {
public:
    explicit Window(std::size_t max) : free_(static_cast<std::int64_t>(max)) {}
    // Never dips below zero, not even for a moment: another lane would see the window fuller than it is.
    bool take() {
        std::int64_t free = free_.load(std::memory_order_seq_cst);
        while (free > 0) {
            if (free_.compare_exchange_weak(free, free - 1, std::memory_order_seq_cst)) return true;
        }
        return false;
    }
    void give() { free_.fetch_add(1, std::memory_order_seq_cst); }

private:
    std::atomic<std::int64_t> free_;
};

struct CallState final : std::enable_shared_from_this<CallState> {
    CallState(Request r, RowSink& s);
    ~CallState();

    void start();
    void deliver(Row&& row);  // any loop; the last one ends the call
    void stop(const Error& why);
    void wait();
    bool done();
    void wake_starving_lanes(const Lane& but);

    Request request;
    RowSink& sink;
    const bool links_rest;  // see Request::descriptors_max
    Window window;
    std::optional<TimePoint> deadline;  // the same moment for all lanes: what one frees then, no other takes
    std::vector<std::unique_ptr<Lane>> lanes;

private:
    std::mutex mutex_;  // held while the sink is called: rows come one at a time
    std::condition_variable ended_;
    std::size_t missing_;
    bool done_ = false;
    bool stopped_ = false;
};

// The targets of one call that live on one loop.
class Lane {
public:
    Lane(CallState& call, Loop& loop);
    ~Lane();

    void add(std::size_t target, fleet::Phone& phone);
    void start();  // on the loop, once
    void stop(const Error& why);
    void end();  // on the loop, after the last row of the whole call
    void pump();
    void expect_next();
    Loop& loop() { return loop_; }
    bool starving() const { return starving_.load(std::memory_order_seq_cst); }

private:
    struct Slot;
    void finish(Slot& slot, Row&& row);
    void on_deadline();
    void bury(Slot& slot);
    void clear_buried();

    CallState& call_;
    Loop& loop_;
    std::deque<Slot> slots_;
    std::size_t next_ = 0;        // the first slot still queued
    std::deque<Slot*> admitted_;  // by their phones; they wait for the window
    std::optional<Error> stopped_;
    bool pumping_ = false;
    std::atomic<bool> starving_{false};          // has queued slots, found the window full
    std::vector<std::unique_ptr<Work>> buried_;  // done, but perhaps still on the call stack
    std::vector<fleet::Phone*> resting_;         // the phones of those, where links do not stay
    Timer deadline_ = Timer::calls<&Lane::on_deadline>(*this);
};

}  // namespace drover::dispatch
