#include "cli/presenter.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <random>

#include "base/id_ranges.hpp"
#include "cli/environment.hpp"
#include "report/fold.hpp"
#include "report/github.hpp"
#include "report/lines.hpp"

namespace drover::cli {
namespace {

OutputMode choose(OutputMode wanted, bool terminal) {
    if (wanted != OutputMode::automatic) return wanted;
    return terminal ? OutputMode::fold : OutputMode::lines;
}

bool environment_is(const char* name, std::string_view wanted) {
    const char* value = std::getenv(name);
    return value && value == wanted;
}

// Nothing that a phone could guess.
std::string fresh_token() {
    std::random_device random;
    return fmt::format("drover-{:08x}{:08x}", random(), random());
}

}  // namespace

Presenter::Presenter(const Context& context, std::vector<std::string> ids, report::Steps steps)
    : mode_(choose(context.output, is_terminal(STDOUT_FILENO))),
      out_terminal_(is_terminal(STDOUT_FILENO)),
      err_terminal_(is_terminal(STDERR_FILENO)),
      shows_progress_(err_terminal_ && environment("TERM") != "dumb"),
      color_(!context.no_color),
      steps_(steps),
      github_(steps == report::Steps::with && mode_ == OutputMode::lines && environment_is("GITHUB_ACTIONS", "true")),
      ids_(std::move(ids)),
      has_row_(ids_.size(), false),
      keep_rows_(mode_ == OutputMode::fold || mode_ == OutputMode::json || !context.reports.empty()),
      rows_(keep_rows_ ? ids_.size() : 0) {}

void Presenter::err(std::string_view text) { write_all(STDERR_FILENO, text); }

void Presenter::add(Row row) {
    if (row.index >= ids_.size() || has_row_[row.index]) return;  // abandoned before it came
    has_row_[row.index] = true;
    tally_.add(row);
    progress_stale_ = true;
    show_now(row);
    if (keep_rows_) rows_[row.index] = std::move(row);
}

void Presenter::show_now(const Row& row) {
    if (mode_ == OutputMode::jsonl) {
        erase_progress();
        results_.write(report::row_json(row, steps_) + "\n");
    } else if (mode_ == OutputMode::lines) {
        const report::LinesStyle style{out_terminal_, err_terminal_, err_terminal_ && color_};
        const auto pieces = report::lines_of(row, style);
        if (!pieces.empty()) erase_progress();
        const auto token = github_ ? fresh_token() : std::string();
        if (github_) results_.write(report::github_group_begin(row, token));
        for (const auto& piece : pieces) {
            piece.stream == OutputStream::out || github_ ? results_.write(piece.text) : err(piece.text);
        }
        if (!github_) return;
        results_.write(report::github_group_end(token));
        if (!row.ok() && annotations_++ < report::kAnnotationsMax) results_.write(report::github_annotation(row));
    }
}

std::vector<std::string> Presenter::running(std::size_t at_most) const {
    std::vector<std::string> ids;
    for (std::size_t i = 0; i < ids_.size() && ids.size() < at_most; ++i) {
        if (!has_row_[i]) ids.push_back(ids_[i]);
    }
    return ids;
}

void Presenter::list_running() {
    erase_progress();
    const auto ids = running(ids_.size());
    err(fmt::format("drover: {} of {} still running: {}\ndrover: Ctrl-C again within 2 s stops them\n", ids.size(),
                    ids_.size(), compress_ids(ids)));
}

std::optional<std::chrono::steady_clock::time_point> Presenter::next_draw() const {
    if (!shows_progress_ || !progress_stale_) return std::nullopt;
    return pace_.next();
}

void Presenter::draw_progress() {
    const auto now = std::chrono::steady_clock::now();
    if (!shows_progress_ || !progress_stale_ || !pace_.may_draw(now)) return;
    const auto width = terminal_width(STDERR_FILENO) - 1;
    const auto names = running(report::kProgressNamesMax + 1);
    err("\r\x1b[K" + report::progress_text(tally_.rows(), ids_.size(), tally_.failed(), names, width));
    pace_.drawn(now);
    progress_shown_ = true;
    progress_stale_ = false;
}

void Presenter::erase_progress() {
    if (!progress_shown_) return;
    err("\r\x1b[K");
    progress_shown_ = false;
    progress_stale_ = true;
}

void Presenter::add_abandoned() {
    for (std::size_t i = 0; i < ids_.size(); ++i) {
        if (has_row_[i]) continue;
        Row row;
        row.index = i;
        row.instance_id = ids_[i];
        row.code = Code::interrupted;
        row.error_msg = "abandoned: drover left without waiting for this phone; what it was told to do may go on there";
        row.phase = Phase::run;
        add(std::move(row));
    }
}

void Presenter::finish(const report::Summary& summary) {
    erase_progress();
    if (mode_ == OutputMode::json) {
        results_.write(report::document_json(summary, rows_, steps_));
    } else if (mode_ == OutputMode::fold) {
        results_.write(report::fold(rows_, {out_terminal_, out_terminal_ && color_}));
    }
    if (mode_ == OutputMode::fold || mode_ == OutputMode::lines) err("drover: " + report::summary_line(summary) + "\n");
    if (!results_.why().empty()) err("drover: " + results_.why() + "\n");
}

}  // namespace drover::cli
