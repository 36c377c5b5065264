// What one call does on one phone: a single command (CommandWork), a job's steps (job::JobWork), a probe.
// The dispatcher makes one Work per target and asks for exactly one Row from each.
//
// Threads: made, used and destroyed on the phone's loop. Ownership: the dispatcher owns the work; `done` outlives it.
// Failure: always a row. done.on_row() is the last thing a work does: it may be destroyed inside that call.
#pragma once
#include <functional>
#include <memory>

#include "drover/row.hpp"
#include "fleet/phone.hpp"

namespace drover::dispatch {

class WorkDone {
public:
    // The row's index and instance_id are filled in by the dispatcher. May come from inside start().
    virtual void on_row(Row&& row) = 0;

protected:
    ~WorkDone() = default;
};

class Work {
public:
    virtual ~Work() = default;
    // The phone leaves the queue: `ms` and the total limit count from here. May call done before it returns.
    virtual void start(fleet::Phone& phone, WorkDone& done) = 0;
    // Ends early: close what is open on the phone and make a row with `why`, at once; on_row() is called before it returns
    // unless clean-up of its own (bounded) goes on.
    virtual void stop(const Error& why) = 0;
};

// Called on the phone's loop, once per target.
using WorkFactory = std::function<std::unique_ptr<Work>(std::size_t target, fleet::Phone& phone)>;

}  // namespace drover::dispatch
