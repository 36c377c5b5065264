#include "dispatch/run_operations.hpp"

#include "base/resource_limits.hpp"
#include "dispatch/dispatcher.hpp"
#include "dispatch/fleet_impl.hpp"

namespace drover::dispatch {

std::unique_ptr<Call> run_operations(Fleet& fleet, const std::vector<std::size_t>& targets, OperationFactory make,
                                     const CallLimits& limits, RowSink& sink) {
    Request request;
    request.targets = fleet.impl().phones_of(targets);
    request.max_parallel = limits.max_parallel;
    request.deadline = limits.deadline;
    request.make_work = [make = std::move(make)](std::size_t target, fleet::Phone&) {
        return std::make_unique<OperationWork>(make, target);
    };
    return dispatch(std::move(request), sink);
}

bool exceed_descriptors(Fleet& fleet, const std::vector<std::size_t>& targets) {
    std::size_t needed = 0;
    for (const fleet::Phone* phone : fleet.impl().phones_of(targets)) needed += phone->descriptors();
    return needed > descriptors_for_phones();
}

}  // namespace drover::dispatch
