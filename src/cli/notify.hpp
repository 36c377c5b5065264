// The `notify` of a job: programs of this host that are told how the run ended, one after the other.
//
// Threads: the caller's, which waits. Failure: one that cannot be begun, fails, or takes too long is told on stderr; the run's own
// result stays what it is.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "job/model.hpp"
#include "report/summary.hpp"

namespace drover::cli {

struct RunEnd {
    std::string job, run_id;
    report::Tally tally;
    int exit_code = 0;
};

// told_to_stop: ends the one at work, and begins no other.
void notify(const std::vector<job::Notification>& all, const RunEnd& end, const std::function<bool()>& told_to_stop);

}  // namespace drover::cli
