// Activities that run shell commands on the phone: one command, or one again and again until it succeeds.
// Threads, ownership, failure: as Activity.
#pragma once
#include <optional>
#include <string>

#include "dispatch/execution.hpp"
#include "job/action.hpp"

namespace drover::job {

class ShellActivity final : public Activity, private dispatch::ExecutionOwner, private OutputSink {
public:
    ShellActivity(const ActivityContext& context, std::string command);
    void start() override;
    void stop(const Error& why) override;
    void expire(std::string_view limit) override;

private:
    void on_result(Row&& row) override;
    Flow on_output(std::size_t target, OutputStream stream, std::string_view bytes,
                   std::function<void()> resume) override;

    ActivityOwner& owner_;
    Command command_;
    dispatch::Execution execution_;
};

// The outcome of a row that one command gave.
Outcome outcome_of(Row&& row);

// Runs a command until it exits 0. What is wrong meanwhile, a lost link too, is waited out; the limit ends it.
class PollActivity final : public Activity, private dispatch::ExecutionOwner {
public:
    static constexpr Limits::Millis kAnswerMax{5'000};  // of one command

    // awaited: "property sys.foo", for the message when the limit has passed.
    PollActivity(const ActivityContext& context, std::string command, std::string awaited, Limits::Millis every);
    void start() override;
    void stop(const Error& why) override;
    void expire(std::string_view limit) override;

private:
    void on_result(Row&& row) override;
    void ask();
    void finish(Outcome outcome);

    fleet::Phone& phone_;
    ActivityOwner& owner_;
    const Limits limits_;
    const std::string command_;
    const std::string awaited_;
    const Limits::Millis every_;
    bool opened_ = false;
    bool done_ = false;
    std::string last_;  // what the last command said, when it was no plain exit code
    std::optional<dispatch::Execution> execution_;
    Timer ask_ = Timer::calls<&PollActivity::ask>(*this);
};

}  // namespace drover::job
