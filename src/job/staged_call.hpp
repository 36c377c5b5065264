// A call in batches, that may end before all of them have begun: strategy.rollout and strategy.fail-fast.
//
// Threads: as Call; one thread of its own begins the batches one after the other, and is at rest meanwhile. Ownership: as Call.
// Failure: phones whose batch never begins get a row too (Code::run_stopped, or why the call was stopped).
#pragma once
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "dispatch/dispatcher.hpp"
#include "job/model.hpp"
#include "job/rollout.hpp"

namespace drover::job {

// A batch is the targets from `first` on, `count` of them.
using MakeRequest = std::function<dispatch::Request(std::size_t first, std::size_t count)>;

class StagedCall final : public Call, private RowSink {
public:
    struct Plan {
        std::vector<std::string> ids;  // of all targets, in order
        std::vector<std::size_t> batches;
        Strategy strategy;
        std::optional<Millis> deadline;  // of the whole call
        // Of a run that is taken up: all its phones, those that failed or were lost, and whether its first batch had begun,
        // which then goes on whatever failed.
        std::size_t phones = 0;  // `ids`, and those that are done
        std::size_t failed = 0;
        std::size_t lost = 0;
        std::optional<Error> fails_fast;  // one of them had failed
        bool batch_begun = false;
    };
    StagedCall(Plan plan, MakeRequest make, RowSink& sink);
    ~StagedCall() override;

    void stop(Error why) override;
    void wait() override;

private:
    using Clock = std::chrono::steady_clock;

    void on_row(Row row) override;
    void on_done() override;
    void run();
    bool may_go_on_locked();
    bool run_batch(std::size_t count);  // false: no further one
    bool pause();
    bool over_deadline_locked();
    void give_up_rest();

    const Plan plan_;
    const MakeRequest make_;
    RowSink& sink_;
    const std::optional<Clock::time_point> deadline_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::optional<Budget> budget_;
    std::size_t first_ = 0;  // of the batch that runs
    bool batch_done_ = false;
    bool ended_ = false;
    std::optional<Error> stopped_;
    std::thread thread_;
};

}  // namespace drover::job
