#include "job/once_runs.hpp"

#include <limits>
#include <utility>

#include "dispatch/execution.hpp"
#include "job/host_runner.hpp"

namespace drover::job {

constexpr std::size_t kNoFurtherAttempt = std::numeric_limits<std::size_t>::max();

class OnceRuns::Listener final : public HostListener {
public:
    Listener(OnceRuns& owner, std::size_t step, std::shared_ptr<HostListener> live)
        : owner_(owner), step_(step), live_(std::move(live)) {}
    void on_output(OutputStream stream, std::string bytes, std::function<void()> more) override {
        owner_.keep(step_, stream, bytes);
        live_->on_output(stream, std::move(bytes), std::move(more));
    }
    void on_end(const Result<int>& exit) override { owner_.end(step_, exit); }

private:
    OnceRuns& owner_;
    const std::size_t step_;
    const std::shared_ptr<HostListener> live_;
};

bool OnceRuns::join(std::size_t step, std::size_t attempt, std::size_t phone, Told told) {
    std::unique_lock lock(mutex_);
    auto& entry = entries_[step];
    if (!entry.running && attempt <= entry.attempt) {
        const auto known = entry.result;
        lock.unlock();
        told(known);
        return false;
    }
    entry.waiting[phone] = std::move(told);
    if (std::exchange(entry.running, true)) return false;
    entry.attempt = attempt;
    entry.result = {};
    entry.kept_bytes = {};
    entry.given_up.reset();
    return true;
}

void OnceRuns::start(std::size_t step, std::size_t attempt, HostCommand command, std::shared_ptr<HostListener> live) {
    auto program = runner_.start(std::move(command), std::make_shared<Listener>(*this, step, std::move(live)));
    const std::lock_guard lock(mutex_);
    auto& entry = entries_[step];
    // It may be over by now, and the next one begun.
    if (entry.running && entry.attempt == attempt) entry.program = std::move(program);
}

bool OnceRuns::leave(std::size_t step, std::size_t phone, const Error& why) {
    const std::lock_guard lock(mutex_);
    auto& entry = entries_[step];
    if (!entry.waiting.contains(phone)) return false;  // it is being told
    if (entry.waiting.size() > 1) {
        entry.waiting.erase(phone);
        return true;
    }
    if (!entry.given_up) entry.given_up = why;
    if (entry.program) entry.program->terminate();
    return false;
}

void OnceRuns::keep(std::size_t step, OutputStream stream, std::string_view bytes) {
    const std::lock_guard lock(mutex_);
    auto& entry = entries_[step];
    auto& kept = entry.kept_bytes[stream == OutputStream::out ? 0 : 1];
    const auto part = bytes.substr(0, kRegisterBytesMax - kept);
    kept += part.size();
    if (!part.empty()) entry.result.output.push_back({stream, std::string(part)});
}

void OnceRuns::end(std::size_t step, const Result<int>& exit) {
    std::map<std::size_t, Told> waiting;
    OnceResult result;
    {
        const std::lock_guard lock(mutex_);
        auto& entry = entries_[step];
        entry.result.outcome = outcome_of_exit(exit);
        if (entry.given_up) entry.result.outcome = given_up(std::move(entry.result.outcome), *entry.given_up);
        entry.running = false;
        entry.program.reset();
        waiting.swap(entry.waiting);
        result = entry.result;
    }
    for (const auto& [phone, told] : waiting) told(result);
}

void OnceRuns::settle(std::size_t step, OnceResult result) {
    const std::lock_guard lock(mutex_);
    auto& entry = entries_[step];
    entry.attempt = kNoFurtherAttempt;
    entry.result = std::move(result);
}

bool OnceRuns::settled(std::size_t step) const {
    const std::lock_guard lock(mutex_);
    const auto entry = entries_.find(step);
    return entry != entries_.end() && entry->second.attempt == kNoFurtherAttempt;
}

Outcome outcome_of_exit(const Result<int>& exit) {
    if (!exit)
        return {
            exit.error().code, dispatch::error_text(exit.error().code, exit.error().message), {}, Phase::open, false};
    if (*exit == 0) return {Code::ok, {}, 0, Phase::done, true};
    const auto detail = "host program: " + dispatch::exit_text(*exit);
    return {Code::command_failed, dispatch::error_text(Code::command_failed, detail), *exit, Phase::done, true};
}

Outcome given_up(Outcome outcome, const Error& why) {
    outcome.code = why.code;
    outcome.message = dispatch::error_text(why.code, why.message);
    outcome.phase = Phase::run;
    return outcome;
}

}  // namespace drover::job
