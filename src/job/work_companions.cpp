// What JobWork does with activities that go on behind its steps: they end with their combination of the matrix, or with the job.
#include <algorithm>

#include "job/work.hpp"

namespace drover::job {

// For its step nothing more can go wrong: what becomes of it is told in the end.
void JobWork::add_companion(std::unique_ptr<Companion> companion, std::unique_ptr<Activity> activity) {
    companions_.push_back(std::move(companion));
    companions_.back()->start(std::move(activity));
    on_outcome(Outcome{Code::ok, {}, {}, Phase::run, true});
}

void JobWork::close_companions() {
    stage_ = Stage::closing;
    tell_companions();
}

void JobWork::tell_companions() {
    telling_companions_ = true;
    for (const auto& companion : companions_) {
        if (ending_) {
            companion->stop(*ending_);
        } else {
            companion->wind_up();
        }
    }
    telling_companions_ = false;
    on_companion_ended();
}

void JobWork::on_companion_ended() {
    if (stage_ != Stage::closing || telling_companions_) return;
    if (!std::all_of(companions_.begin(), companions_.end(), [](const auto& c) { return c->outcome().has_value(); }))
        return;
    for (const auto& companion : companions_) end_companion(companion->position(), *companion->outcome());
    companions_.clear();
    stage_ = Stage::between;
    pump();
}

void JobWork::end_companion(std::size_t position, const Outcome& outcome) {
    StepResult& result = total_.steps.at(position);
    const Step& step = *run_->plan[position].step;
    result.files = outcome.files;
    if (outcome.code == Code::ok) return;
    result.code = outcome.code;
    result.error_msg = run_->secrets.masked(outcome.message);
    result.continued = step.continue_on_error && step_failure_only(outcome.code);
    if (!result.continued) note_failure(outcome.code, outcome.phase, {}, result);
}

}  // namespace drover::job
