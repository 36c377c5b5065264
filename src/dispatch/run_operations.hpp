// A call of one operation on many phones: what `Fleet::exec` is for commands. Threads, ownership, failure: as dispatch().
#pragma once
#include "dispatch/operation.hpp"
#include "drover/fleet.hpp"

namespace drover::dispatch {

struct CallLimits {
    std::size_t max_parallel = 0;  // 0: all
    std::optional<std::chrono::milliseconds> deadline;
};

std::unique_ptr<Call> run_operations(Fleet& fleet, const std::vector<std::size_t>& targets, OperationFactory make,
                                     const CallLimits& limits, RowSink& sink);

// Whether links of all these phones at once are more than this process may have.
bool exceed_descriptors(Fleet& fleet, const std::vector<std::size_t>& targets);

}  // namespace drover::dispatch
