// Shows rows as --output wants them, and the progress line of a terminal. Main thread only. It keeps rows only where they
// are needed again: for fold, json and report files.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "cli/command.hpp"
#include "cli/terminal.hpp"
#include "drover/row.hpp"
#include "report/json.hpp"
#include "report/progress.hpp"
#include "report/summary.hpp"

namespace drover::cli {

class Presenter {
public:
    // ids: of all targets, in target order.
    Presenter(const Context& context, std::vector<std::string> ids, report::Steps steps);

    void add(Row row);
    void list_running();   // for the first Ctrl-C
    void draw_progress();  // at most ten times a second
    void erase_progress();
    // When draw_progress() has something new to show; nothing without a terminal.
    std::optional<std::chrono::steady_clock::time_point> next_draw() const;
    // Rows for the phones that have none: nobody waited for them.
    void add_abandoned();
    // What is shown at the end.
    void finish(const report::Summary& summary);

    const report::Tally& tally() const { return tally_; }
    // In target order; complete once all rows were added, and only if `context` asked for report files or a form that needs them.
    const std::vector<Row>& rows() const { return rows_; }
    const ResultStream& results() const { return results_; }

private:
    std::vector<std::string> running(std::size_t at_most) const;
    void show_now(const Row& row);
    void err(std::string_view text);

    OutputMode mode_;
    bool out_terminal_;
    bool err_terminal_;
    bool shows_progress_;  // in one line that is drawn again and again
    bool color_;
    report::Steps steps_;
    bool github_;  // a job's lines go to the log of GitHub Actions
    std::size_t annotations_ = 0;
    std::vector<std::string> ids_;
    std::vector<bool> has_row_;
    bool keep_rows_;
    std::vector<Row> rows_;
    report::Tally tally_;
    ResultStream results_;
    report::ProgressPace pace_;
    bool progress_shown_ = false;
    bool progress_stale_ = true;
};

}  // namespace drover::cli
