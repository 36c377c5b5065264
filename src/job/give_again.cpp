#include "job/give_again.hpp"

#include <algorithm>
#include <functional>
#include <future>
#include <memory>

namespace drover::job {
namespace {

using Give = std::function<void(OutputStream stream, std::string_view text)>;

void each_piece(const Row& part, const Give& give) {
    std::size_t begin = 0;
    for (const auto& run : part.runs) {
        give(run.stream, std::string_view(part.execute_msg).substr(begin, run.end - begin));
        begin = run.end;
    }
}

bool is_whole(const StepResult& step, const Row& part) {
    return step.output_bytes > 0 && step.output_bytes == part.execute_msg.size();
}

// The part of the row's text that one step printed.
Row part_of(const Row& row, const StepResult& step) {
    Row part;
    part.execute_msg = row.execute_msg.substr(step.output_begin, step.output_end - step.output_begin);
    for (OutputRun run : row.runs) {
        if (run.end <= step.output_begin) continue;
        run.end = std::min(run.end, step.output_end) - step.output_begin;
        part.runs.push_back(run);
        if (run.end == part.execute_msg.size()) break;
    }
    return part;
}

}  // namespace

void give_step_again(StepSink& sink, std::size_t target, std::size_t step, const StepResult& result, const Row& part) {
    if (!is_whole(result, part)) return;
    sink.on_step_begin(target, step);
    each_piece(part, [&](OutputStream stream, std::string_view text) {
        sink.on_step_output(target, step, stream, text, [] {});
    });
}

void give_row_again(StepSink& sink, std::size_t target, const Row& row) {
    for (std::size_t i = 0; i < row.steps.size(); ++i) {
        const auto part = part_of(row, row.steps[i]);
        if (!is_whole(row.steps[i], part)) continue;
        sink.on_step_begin(target, i);
        each_piece(part, [&](OutputStream stream, std::string_view text) {
            const auto room = std::make_shared<std::promise<void>>();
            const auto flow = sink.on_step_output(target, i, stream, text, [room] { room->set_value(); });
            if (flow == OutputSink::Flow::later) room->get_future().wait();
        });
    }
}

}  // namespace drover::job
