#include "cli/journaled_call.hpp"

#include <utility>

#include "cli/terminal.hpp"
#include "job/give_again.hpp"

namespace drover::cli {

JournaledCall::JournaledCall(Parts parts, const Begin& begin, RowSink& rows) : parts_(std::move(parts)), rows_(rows) {
    // At once: nobody knows whether this process lives to its end.
    parts_.journal->on_failure([](const std::string& why) {
        say("drover: this run cannot be resumed, its journal could not be written: " + why);
    });
    for (const auto& row : parts_.done) {
        if (parts_.again) job::give_row_again(*parts_.again, row.index, row);
        rows_.on_row(row);
    }
    if (parts_.rest.empty()) {
        rows_.on_done();
    } else {
        call_ = begin(*this);
    }
}

JournaledCall::~JournaledCall() {
    // Waits for the last row; then nothing may be told to loops that are about to end.
    call_.reset();
    parts_.journal->close();
}

void JournaledCall::stop(Error why) {
    if (call_) call_->stop(std::move(why));
}

void JournaledCall::wait() {
    if (call_) call_->wait();
}

void JournaledCall::on_row(Row row) {
    const auto target = parts_.rest[row.index];
    auto note = [journal = parts_.journal, number = parts_.numbers[target], row] { journal->row(number, row); };
    auto then = [output = parts_.output, target, note = std::move(note)] {
        output ? output->when_kept(target, note) : note();
    };
    parts_.files ? parts_.files->when_kept(target, std::move(then)) : then();
    row.index = target;
    rows_.on_row(std::move(row));
}

void JournaledCall::on_done() { rows_.on_done(); }

}  // namespace drover::cli
