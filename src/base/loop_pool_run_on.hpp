// The template part of LoopPool; include base/loop_pool.hpp instead.
#pragma once
#include <future>

#include "base/assert.hpp"
#include "base/loop_pool.hpp"

namespace drover {

template <class F>
void LoopPool::run_on(std::size_t i, F&& f) {
    DROVER_ASSERT(!loops_[i]->on_this_thread());
    std::promise<void> done;
    loops_[i]->post([&] {
        f();
        done.set_value();
    });
    done.get_future().wait();
}

}  // namespace drover
