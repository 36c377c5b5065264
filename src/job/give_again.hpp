// What steps of an older part of a run printed, once more for the files of their own: when drover was killed, some of it was still on
// its way there, though the journal had it.
//
// Threads: as StepSink. Nothing where the journal has only a part of the output, or something else in its place (`***`).
#pragma once
#include "drover/job.hpp"

namespace drover::job {

// part: what the step added to its row. Does not wait for the sink: it is no more than a row holds.
void give_step_again(StepSink& sink, std::size_t target, std::size_t step, const StepResult& result, const Row& part);
// All steps of one phone. Waits until the sink has room.
void give_row_again(StepSink& sink, std::size_t target, const Row& row);

}  // namespace drover::job
