// An activity that goes on behind the later steps of its job: the log of a whole job. What it prints goes nowhere; what it keeps is
// in files.
//
// Threads: the phone's loop. Ownership: its owner's, which on_companion_ended() may make destroy it; that comes once, maybe from
// inside start(), wind_up() or stop().
#pragma once
#include <memory>
#include <optional>

#include "job/action.hpp"

namespace drover::job {

class CompanionOwner {
public:
    virtual void on_companion_ended() = 0;

protected:
    ~CompanionOwner() = default;
};

class Companion final : private ActivityOwner {
public:
    // position: of its step in the plan.
    Companion(std::size_t position, CompanionOwner& owner) : position_(position), owner_(owner) {}

    ActivityOwner& as_owner() { return *this; }
    void start(std::unique_ptr<Activity> activity) {
        activity_ = std::move(activity);
        activity_->start();
    }
    void wind_up() {
        if (!outcome_) activity_->wind_up();
    }
    void stop(const Error& why) {
        if (!outcome_) activity_->stop(why);
    }
    std::size_t position() const { return position_; }
    const std::optional<Outcome>& outcome() const { return outcome_; }

private:
    OutputSink::Flow on_step_output(OutputStream, std::string_view, std::function<void()>) override {
        return OutputSink::Flow::go_on;
    }
    void on_outcome(Outcome&& outcome) override {
        outcome_ = std::move(outcome);
        owner_.on_companion_ended();
    }

    const std::size_t position_;
    CompanionOwner& owner_;
    std::unique_ptr<Activity> activity_;
    std::optional<Outcome> outcome_;
};

}  // namespace drover::job
