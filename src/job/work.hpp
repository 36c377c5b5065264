// A job on one phone: its steps one after the other, then those of `finally`, and one row in the end.
//
// Threads: the phone's loop. Ownership: as Work; the sinks outlive it. Failure: the first step that fails ends the job on this
// phone, unless it says continue-on-error and its command was run: what the phone itself is to blame for (absent, no trust, link
// lost) is no error of a step. After it only steps run whose `if` asks for that, and `finally`, if anything was begun on
// the phone. Steps that were not reached are `skipped`. Told to stop, it ends the step and runs `finally`, each step of which
// has a limit of its own.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dispatch/work.hpp"
#include "job/companion.hpp"
#include "job/run_shared.hpp"
#include "job/step_output.hpp"

namespace drover::job {

// What becomes of a step that was under way when drover was killed.
Outcome interrupted_step();

class JobWork final : public dispatch::Work, private ActivityOwner, private CompanionOwner {
public:
    JobWork(std::shared_ptr<RunShared> run, std::size_t target);
    ~JobWork() override;

    void start(fleet::Phone& phone, dispatch::WorkDone& done) override;
    void stop(const Error& why) override;

private:
    enum class Stage : std::uint8_t {
        between,
        asking_phone,
        at_barrier,
        noting,
        attempting,
        backing_off,
        closing,
        done
    };

    const PlannedStep& planned() const { return run_->plan[position_]; }
    const Step& step() const { return *planned().step; }
    bool step_failure_only(Code code) const;
    bool row_failed() const { return total_.code != Code::ok; }

    void pump();
    void next_step();
    void enter_combination();
    void come_to_barrier();
    std::optional<bool> wanted();  // empty: the condition failed, and so did the step
    bool out_of_question() const;
    void begin_step();
    bool restore_step();
    bool has_past() const;
    void heed_failures();
    std::size_t sink_target() const { return run_->positions.empty() ? target_ : run_->positions[target_]; }
    void note(std::function<void(Journal& journal, std::size_t phone)> write);
    void note_begin();
    void note_end(const Row& part);
    void begin_attempt();
    void on_outcome(Outcome&& outcome) override;
    OutputSink::Flow on_step_output(OutputStream stream, std::string_view bytes, std::function<void()> resume) override;
    bool may_retry(const Outcome& outcome) const;
    void back_off();
    void end_step(Outcome&& outcome);
    void skip_step();
    void note_failure(Code code, Phase phase, std::optional<int> exit_code, const StepResult& of);
    void ask_phone();
    void on_phone_answer(Outcome&& outcome);
    void end_unasked();
    void add_companion(std::unique_ptr<Companion> companion, std::unique_ptr<Activity> activity);
    void close_companions();
    void tell_companions();
    void on_companion_ended() override;
    void end_companion(std::size_t position, const Outcome& outcome);
    void finish();

    bool has_more_steps() const;
    void on_job_timeout();
    void on_step_timeout();
    void end_early(Standing standing);
    Scope scope() const;
    Millis limit_of_step() const;
    std::uint64_t ms_since(TimePoint then) const;
    void set_activity(std::unique_ptr<Activity> activity);

    const std::shared_ptr<RunShared> run_;
    const std::size_t target_;
    fleet::Phone* phone_ = nullptr;
    Instance instance_;  // as it was at the start: its labels may change meanwhile
    dispatch::WorkDone* done_ = nullptr;
    std::size_t position_ = 0;  // in the plan
    Stage stage_ = Stage::between;
    bool pumping_ = false;
    TimePoint started_{};
    TimePoint step_started_{};
    std::size_t attempts_ = 0;  // of this step
    bool step_opened_ = false;
    Standing standing_ = Standing::good;
    std::optional<Error> ending_;     // no further step but `finally`
    bool cut_short_ = false;          // a step was not done because of it
    bool combination_begun_ = false;  // something was begun on the phone
    std::optional<std::size_t> combination_;
    Row total_;                         // what the steps gave so far
    StepResult result_;                 // of this step
    std::optional<StepOutput> output_;  // of this step
    std::vector<std::optional<Output>> outputs_;
    std::vector<std::string> phone_values_;
    std::string answer_;              // of the phone, to what its facts are
    std::optional<Outcome> unasked_;  // why it could not be asked, until a step has failed of it
    std::unique_ptr<Activity> activity_;
    std::vector<std::unique_ptr<Companion>> companions_;
    bool telling_companions_ = false;
    std::shared_ptr<JobWork*> handle_;  // what a barrier finds; empty once this is gone
    Timer job_deadline_ = Timer::calls<&JobWork::on_job_timeout>(*this);
    Timer step_deadline_ = Timer::calls<&JobWork::on_step_timeout>(*this);
    Timer backoff_ = Timer::calls<&JobWork::begin_attempt>(*this);
};

}  // namespace drover::job
