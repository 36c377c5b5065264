// The work of a phone to which nothing is sent: its row with the reason. Threads, ownership: as Work.
#pragma once
#include "dispatch/work.hpp"

namespace drover::dispatch {

class RefusedWork final : public Work {
public:
    explicit RefusedWork(Error why) : why_(std::move(why)) {}
    void start(fleet::Phone&, WorkDone& done) override {
        Row row;
        row.code = why_.code;
        row.error_msg = why_.message;
        done.on_row(std::move(row));
    }
    void stop(const Error&) override {}

private:
    Error why_;
};

}  // namespace drover::dispatch
