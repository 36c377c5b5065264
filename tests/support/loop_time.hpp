// Time that passes on a loop: what was due there before is done when this returns. Blocks its caller, which is not that loop.
#pragma once
#include <chrono>
#include <future>

#include "base/loop_pool.hpp"

namespace drover::test {

inline void let_time_pass(LoopPool& pool, std::chrono::milliseconds time) {
    std::promise<void> passed;
    struct After {
        std::promise<void>& told;
        void now() { told.set_value(); }
        Timer timer = Timer::calls<&After::now>(*this);
    } after{passed};
    pool.run_on(0, [&] { pool.at(0).arm_after(after.timer, time); });
    passed.get_future().wait();
    pool.run_on(0, [] {});
}

}  // namespace drover::test
