// Fans one request out to many phones: split by loop with one message per loop, a window over all of them, one row per target.
//
// Threads: dispatch() and the returned Call from any thread. Ownership: phones and their loops outlive every call; the sink outlives its
// call. Failure: none of its own; each work gives a row, and a target whose work never began gets one too (stop, deadline).
#pragma once
#include <chrono>
#include <memory>
#include <optional>
#include <vector>

#include "dispatch/work.hpp"
#include "drover/fleet.hpp"

namespace drover::dispatch {

struct Request {
    std::vector<fleet::Phone*> targets;  // row.index is the position here
    WorkFactory make_work;
    std::size_t max_parallel = 0;  // 0: all
    // Where the targets need more of them, only so many phones are at work at once as have enough, and each gives its link up after
    // its row. 0: what this process may have.
    std::size_t descriptors_max = 0;
    std::optional<std::chrono::milliseconds> deadline;
};

// on_row() may be called before dispatch() returns.
std::unique_ptr<Call> dispatch(Request request, RowSink& sink);

}  // namespace drover::dispatch
