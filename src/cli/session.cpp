#include "cli/session.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>

#include "base/log.hpp"
#include "cli/out_dir.hpp"
#include "cli/presenter.hpp"
#include "cli/report_files.hpp"
#include "cli/terminal.hpp"
#include "cli/watch.hpp"
#include "dispatch/call_time.hpp"
#include "http/call_request.hpp"

namespace drover::cli {
namespace {

using Clock = std::chrono::steady_clock;

// Of a server that is busy or far, on top of the phones' --timeout: also a lost first packet is sent again by then.
constexpr std::chrono::milliseconds kChoiceMargin{3'000};

// How much memory this process ever had, as the kernel counts it.
void tell_peak_memory() {
    if (!log::enabled(log::Level::info)) return;
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    log::info("peak memory: {} kB", usage.ru_maxrss);
}

class Session {
public:
    Session(const Context& context, const CallOptions& options, const Task& task)
        : context_(context), options_(options), task_(task), stopper_(is_terminal(STDERR_FILENO), queue_) {}

    int run() {
        if (!is_writable(STDOUT_FILENO)) {
            say("drover: cannot write the results: stdout is closed; nothing was run");
            return 1;
        }
        auto reports = ReportFiles::open(context_.reports);
        if (!reports) return report_error(reports.error());
        const auto begin = Clock::now();
        auto herd = open_herd(context_, {Phones::now, options_.deadline, options_.limits.connect, stopper_.token()});
        if (const auto signal = stopper_.signal()) return 128 + *signal;  // nothing was sent yet
        if (!herd) return report_error(herd.error());
        if (!(*herd)->fleet()) {
            if (const auto what = not_for_a_server(); !what.empty()) return report_error(direct_only(what));
        }
        left_ = options_.deadline;
        if (left_) left_ = dispatch::left_after_opening(*left_, begin);
        auto targets = choose(**herd);
        if (const auto signal = stopper_.signal()) return 128 + *signal;  // nothing was sent yet
        if (!targets) return report_error(targets.error());
        if (targets->empty() && !options_.allow_empty) {
            return report_error(Error(Code::nothing_matched, "no phone matches '" + task_.selector + "'"));
        }
        if (options_.out_dir) {
            const auto ids = (*herd)->ids_of(*targets);
            OutDir::Kept kept;
            if (task_.kept_output) std::transform(ids.begin(), ids.end(), std::back_inserter(kept), task_.kept_output);
            auto made = OutDir::create(*options_.out_dir, ids, kept, queue_);
            if (!made) return report_error(made.error());
            out_dir_ = std::move(*made);
        }
        if (task_.artifacts) {
            const auto older = task_.resumed ? OutDir::Older::same_run : OutDir::Older::other_run;
            auto& next = out_dir_ ? static_cast<RowSink&>(*out_dir_) : queue_;
            auto made = OutDir::create_by_step(*task_.artifacts, (*herd)->ids_of(*targets), task_.step_directories,
                                               older, next);
            if (!made) return report_error(made.error());
            artifacts_ = std::move(*made);
        }
        stopper_.extend_drain(task_.stop_grace);
        if (const auto signal = stopper_.signal()) return 128 + *signal;  // nothing was sent yet
        return call(**herd, *targets, *reports);
    }

private:
    // What of this call a server does not do; empty: it does all of it.
    std::string not_for_a_server() const {
        if (!task_.direct_only.empty()) return std::string(task_.direct_only);
        if (options_.max_output_bytes <= http::kRowBytesMax) return {};
        return fmt::format("--max-output above {}", http::kRowBytesMax);
    }

    // When a server must have said which phones there are.
    std::optional<Clock::time_point> choice_until(Clock::time_point begin) const {
        if (task_.choice || (!left_ && !options_.timeout)) return std::nullopt;
        if (!options_.timeout) return begin + *left_;
        auto limit = *options_.timeout + kChoiceMargin;
        if (dispatch::may_ask_phones(task_.selector)) limit += dispatch::selection_limit(left_);
        return begin + (left_ ? std::min(limit, *left_) : limit);
    }

    Result<Herd::Targets> choose(Herd& herd) {
        const auto begin = Clock::now();
        herd.set_patience({choice_until(begin), &stopper_.told()});
        auto selection = task_.choice
                             ? herd.choose(task_.selector, *task_.choice, [this] { return !!stopper_.signal(); })
                             : herd.select(task_.selector, dispatch::selection_limit(left_));
        // Waiting for phones to be free has a limit of its own.
        if (left_ && !task_.choice) left_ = dispatch::what_is_left(*left_, task_.selector, begin);
        return checked_targets(std::move(selection), options_.allow_empty ? UnknownIds::told : UnknownIds::refused);
    }

    int call(Herd& herd, const std::vector<std::size_t>& targets, ReportFiles& reports) {
        log::info("{} phones match '{}'", targets.size(), task_.selector);
        Presenter presenter(context_, herd.ids_of(targets), task_.steps);
        const auto begin = Clock::now();
        RowSink& rows = artifacts_ ? static_cast<RowSink&>(*artifacts_)
                        : out_dir_ ? static_cast<RowSink&>(*out_dir_)
                                   : queue_;
        stopper_.begin();
        auto call = task_.start(herd, targets, Sinks{out_dir_.get(), artifacts_.get(), rows, left_});
        stopper_.attach(*call);
        const auto end = Watch(queue_, stopper_, presenter, *call).run();
        stopper_.detach();
        const auto code = finish(presenter, reports, begin);
        tell_peak_memory();
        // Destructors would wait for the phones.
        if (end == Watch::End::abandoned) ::_exit(code);
        return code;
    }

    int finish(Presenter& presenter, ReportFiles& reports, Clock::time_point begin) {
        report::Summary summary;
        summary.tally = presenter.tally();
        summary.ms = static_cast<std::uint64_t>(
            std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begin).count());
        report::Ending ending{stopper_.signal(), presenter.results().lost()};
        summary.exit_code = exit_code(summary.tally, ending);
        presenter.finish(summary);
        const ReportContents contents{task_.name, summary, presenter.rows(), task_.steps,
                                      task_.artifacts.value_or(std::filesystem::path())};
        if (const auto written = reports.write(contents); !written) {
            say("drover: " + written.error().message);
            ending.results_lost = true;
        }
        ending.results_lost = ending.results_lost || presenter.results().lost();
        const int code = exit_code(summary.tally, ending);
        if (task_.notify && !ending.signal)
            task_.notify(code, summary.tally, [this] { return stopper_.signal().has_value(); });
        return code;
    }

    int exit_code(const report::Tally& tally, const report::Ending& ending) const {
        const int code = tally.exit_code(ending);
        return task_.judge && !ending.signal && !ending.results_lost ? task_.judge(code, tally) : code;
    }

    const Context& context_;
    const CallOptions& options_;
    const Task& task_;
    RowQueue queue_;
    Stopper stopper_;                                // before any thread of the fleet: they inherit the blocked signals
    std::optional<std::chrono::milliseconds> left_;  // of the deadline
    std::unique_ptr<OutDir> out_dir_;
    std::unique_ptr<OutDir> artifacts_;  // passes rows on to out_dir_
};

}  // namespace

int run_task(const Context& context, const CallOptions& options, const Task& task) {
    ignore_sigpipe();
    return Session(context, options, task).run();
}

}  // namespace drover::cli
