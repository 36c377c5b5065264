// What JobWork notes in the run's journal, and takes from the one of a run that is taken up.
#include <algorithm>

#include "dispatch/execution.hpp"
#include "job/give_again.hpp"
#include "job/work.hpp"

namespace drover::job {

Outcome interrupted_step() {
    constexpr std::string_view kWhy = "it was at work when drover ended, and is not idempotent";
    return {Code::interrupted, dispatch::error_text(Code::interrupted, kWhy), {}, Phase::run, true};
}

// What a step printed is in its files before the journal says that it ended: else a run that is killed in between would have lost it.
// All notes of a phone keep their order.
void JobWork::note(std::function<void(Journal& journal, std::size_t phone)> write) {
    auto now = [write = std::move(write), journal = run_->journal, phone = run_->numbers[target_]] {
        write(*journal, phone);
    };
    auto then = [output = run_->output, target = sink_target(), now = std::move(now)] {
        output ? output->when_kept(target, now) : now();
    };
    run_->artifacts ? run_->artifacts->when_kept(sink_target(), std::move(then)) : then();
}

// A step that must not run twice is begun only when the journal has it on disk.
void JobWork::note_begin() {
    if (!run_->journal) return begin_attempt();
    if (step().idempotent) {
        note([position = position_](Journal& journal, std::size_t phone) { journal.begin(phone, position, {}); });
        return begin_attempt();
    }
    stage_ = Stage::noting;
    auto noted = [handle = handle_, &loop = phone_->loop(), position = position_] {
        loop.post([handle, position] {
            JobWork* self = *handle;
            if (self && self->stage_ == Stage::noting && self->position_ == position) self->begin_attempt();
        });
    };
    note([noted = std::move(noted), position = position_](Journal& journal, std::size_t phone) {
        journal.begin(phone, position, noted);
    });
}

void JobWork::note_end(const Row& part) {
    if (!run_->journal) return;
    EndedStep ended;
    ended.result = result_;
    ended.part = part;
    ended.opened = step_opened_;
    if (run_->output) ended.lengths = run_->output->lengths(sink_target());
    if (const auto slot = step().output_slot) ended.output = outputs_[*slot];
    note([ended = std::move(ended), position = position_](Journal& journal, std::size_t phone) {
        journal.end(phone, position, ended);
    });
}

bool JobWork::has_past() const {
    if (!run_->past) return false;
    const auto& past = run_->past->phones[run_->numbers[target_]];
    return !past.begun.empty() || !past.ended.empty();
}

// Whether the run that is taken up has done this step, or was in the middle of it.
bool JobWork::restore_step() {
    // What goes on behind other steps ended with the run that is taken up: it begins again.
    if (!run_->past || step().action->goes_on()) return false;
    const auto& past = run_->past->phones[run_->numbers[target_]];
    const bool known_of_others = step().action->runs_once() && run_->host->once().settled(position_);
    if (past.begun.contains(position_) && !step().idempotent && !known_of_others) {
        combination_begun_ = true;
        end_step(interrupted_step());
        return true;
    }
    const auto found = past.ended.find(position_);
    if (found == past.ended.end()) return false;
    const auto& ended = found->second;
    result_ = ended.result;
    if (run_->artifacts) give_step_again(*run_->artifacts, sink_target(), position_, result_, ended.part);
    result_.output_begin = static_cast<std::uint32_t>(total_.execute_msg.size());
    append_output(total_, ended.part);
    total_.output_bytes += result_.output_bytes;
    result_.output_end = static_cast<std::uint32_t>(total_.execute_msg.size());
    combination_begun_ = combination_begun_ || ended.opened;
    total_.attempts = std::max(total_.attempts, result_.attempts);
    if (const auto slot = step().output_slot) outputs_[*slot] = ended.output;
    if (!planned().finally && !row_failed()) total_.exit_code = result_.exit_code;
    if (result_.code != Code::ok && !result_.continued) {
        if (standing_ == Standing::good) standing_ = Standing::failed;
        note_failure(result_.code, Phase::done, result_.exit_code, result_);
    }
    total_.steps.push_back(std::move(result_));
    ++position_;
    stage_ = Stage::between;
    return true;
}

}  // namespace drover::job
