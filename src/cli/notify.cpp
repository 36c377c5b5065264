#include "cli/notify.hpp"

#include <fmt/format.h>

#include <condition_variable>
#include <mutex>

#include "base/duration.hpp"
#include "cli/terminal.hpp"
#include "dispatch/execution.hpp"
#include "job/host_runner.hpp"
#include "report/printable.hpp"

namespace drover::cli {
namespace {

constexpr std::chrono::milliseconds kLookEvery{50};  // at whether this process was told to stop
constexpr std::size_t kShownBytesMax = 500;          // of what a failed program said

// Waits for one program; keeps the beginning of what it says on stderr.
class NotifyListener final : public job::HostListener {
public:
    void on_output(OutputStream stream, std::string bytes, std::function<void()> more) override {
        {
            const std::lock_guard lock(mutex_);
            if (stream == OutputStream::err) said_ += bytes.substr(0, kShownBytesMax - said_.size());
        }
        more();
    }
    void on_end(const Result<int>& exit) override {
        const std::lock_guard lock(mutex_);
        exit_ = exit;
        ended_.notify_all();
    }
    // False: not within that time.
    bool wait(std::chrono::milliseconds time) {
        std::unique_lock lock(mutex_);
        return ended_.wait_for(lock, time, [this] { return exit_.has_value(); });
    }
    Result<int> exit() const { return *exit_; }
    std::string said() const { return said_; }

private:
    std::mutex mutex_;
    std::condition_variable ended_;
    std::optional<Result<int>> exit_;
    std::string said_;
};

bool is_meant(job::Notification::When when, int exit_code) {
    if (when == job::Notification::When::always) return true;
    return (when == job::Notification::When::failure) == (exit_code != 0);
}

// Why it failed; empty when it did not.
std::string run_one(job::HostRunner& runner, const job::Notification& what, job::HostCommand command,
                    const std::function<bool()>& told_to_stop) {
    using Clock = std::chrono::steady_clock;
    const auto listener = std::make_shared<NotifyListener>();
    const auto program = runner.start(std::move(command), listener);
    std::string ended_by;
    const auto late = Clock::now() + what.timeout;
    while (!listener->wait(kLookEvery)) {
        if (Clock::now() >= late) ended_by = fmt::format("not done within {}", to_string(what.timeout));
        if (told_to_stop()) ended_by = "told to stop";
        if (ended_by.empty()) continue;
        program->terminate();
        constexpr auto kEndMax = 2 * (job::HostRunner::kTermGrace + job::HostRunner::kDrainMax);
        listener->wait(kEndMax);
        return ended_by;
    }
    const auto exit = listener->exit();
    if (!exit) return exit.error().message;
    if (*exit == 0) return {};
    const auto said = listener->said();
    return dispatch::exit_text(*exit) + (said.empty() ? "" : ": " + report::printable(said, report::Layout::escape));
}

}  // namespace

void notify(const std::vector<job::Notification>& all, const RunEnd& end, const std::function<bool()>& told_to_stop) {
    if (all.empty()) return;
    job::HostRunner runner;
    for (std::size_t i = 0; i < all.size() && !told_to_stop(); ++i) {
        if (!is_meant(all[i].when, end.exit_code)) continue;
        const job::HostCommand command{all[i].argv,
                                       {{"DROVER_JOB", end.job},
                                        {"DROVER_RUN_ID", end.run_id},
                                        {"DROVER_OK", std::to_string(end.tally.ok())},
                                        {"DROVER_FAILED", std::to_string(end.tally.failed())},
                                        {"DROVER_EXIT_CODE", std::to_string(end.exit_code)}},
                                       {}};
        const auto why = run_one(runner, all[i], command, told_to_stop);
        if (!why.empty()) say(fmt::format("drover: notify[{}] ({}): {}", i, all[i].argv.front(), why));
    }
}

}  // namespace drover::cli
