// A job's call that is noted in a journal, and that may take up an older run: phones that are done there get the row they had.
//
// Threads: as Call; rows come from loop threads. Ownership: what it is given outlives it; destroyed before the fleet. Failure: as Call.
#pragma once
#include <functional>
#include <memory>
#include <vector>

#include "drover/fleet.hpp"
#include "drover/job.hpp"
#include "job/journal.hpp"

namespace drover::cli {

class JournaledCall final : public Call, private RowSink {
public:
    // rows: where rows go. done: those that are known already, by target. rest: the targets that are missing.
    // Each target's number in the journal is `numbers[target]`. output, files: where outputs go, see when_kept(). again: gets the
    // output of the steps that are done once more. Each may be missing.
    struct Parts {
        std::shared_ptr<job::Journal> journal;
        std::vector<Row> done;
        std::vector<std::size_t> rest;
        std::vector<std::size_t> numbers;
        OutputSink* output = nullptr;
        StepSink* files = nullptr;
        StepSink* again = nullptr;
    };
    using Begin = std::function<std::unique_ptr<Call>(RowSink&)>;  // the call over `rest`
    JournaledCall(Parts parts, const Begin& begin, RowSink& rows);
    ~JournaledCall() override;

    void stop(Error why) override;
    void wait() override;

private:
    void on_row(Row row) override;
    void on_done() override;

    const Parts parts_;
    RowSink& rows_;
    std::unique_ptr<Call> call_;  // none: nothing was missing
};

}  // namespace drover::cli
