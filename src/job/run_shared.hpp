// What all phones of one run share. Made before the first phone begins; its parts say which threads may use them; nothing else
// of it changes afterwards.
#pragma once
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "drover/job.hpp"
#include "job/barrier.hpp"
#include "job/file_ground.hpp"
#include "job/host_runner.hpp"
#include "job/journal.hpp"
#include "job/plan.hpp"
#include "job/secrets.hpp"

namespace drover::job {

// strategy.fail-fast: why no phone begins another step but `finally`. Any thread.
class FirstFailure {
public:
    void set(Error why) {
        const std::lock_guard lock(mutex_);
        if (!why_) why_ = std::move(why);
    }
    std::optional<Error> get() const {
        const std::lock_guard lock(mutex_);
        return why_;
    }

private:
    mutable std::mutex mutex_;
    std::optional<Error> why_;
};

struct RunShared {
    explicit RunShared(Job j) : job(std::move(j)), plan(planned_steps(job.model())) {}

    const Job job;
    const std::vector<PlannedStep> plan;
    std::string run_id;
    std::optional<Millis> timeout;  // of each phone, `finally` apart
    Limits limits;                  // of each step; max_output_bytes for the whole row
    OutputSink* output = nullptr;
    StepSink* artifacts = nullptr;
    Secrets secrets;
    std::shared_ptr<Journal> journal;    // none: nothing is noted
    std::shared_ptr<const Past> past;    // of the run that is taken up; none: a fresh one
    std::vector<std::size_t> numbers;    // of the call's targets in the journal
    std::vector<std::size_t> positions;  // what the sinks call them; none: as the call does
    std::unique_ptr<HostRunner> host;    // none: no step needs one
    std::optional<FileGround> files;     // the same
    std::unique_ptr<Barrier> barrier;    // none: phones go through the steps independently
    FirstFailure failure;                // noted where strategy.fail-fast says so
};

}  // namespace drover::job
