#include "job/step_output.hpp"

#include <algorithm>
#include <atomic>
#include <memory>

#include "base/utf8.hpp"

namespace drover::job {
void append_output(Row& to, const Row& from) {
    const auto offset = static_cast<std::uint32_t>(to.execute_msg.size());
    to.execute_msg += from.execute_msg;
    for (OutputRun run : from.runs) {
        run.end += offset;
        const bool same = !to.runs.empty() && to.runs.back().stream == run.stream;
        if (same) {
            to.runs.back().end = run.end;
        } else {
            to.runs.push_back(run);
        }
    }
    to.truncated = to.truncated || from.truncated;
}

StepOutput::StepOutput(const Secrets& secrets, std::size_t room, bool keep, Sinks sinks)
    : secrets_(secrets),
      keep_(keep),
      sinks_(sinks),
      capture_(room),
      masks_{MaskedStream(secrets), MaskedStream(secrets)} {}

OutputSink::Flow StepOutput::add(OutputStream stream, std::string_view bytes, std::function<void()> resume) {
    raw_bytes_ += bytes.size();
    if (secrets_.empty()) return pass(stream, bytes, std::move(resume));
    const auto text = masks_[index(stream)].feed(bytes);
    return text.empty() ? OutputSink::Flow::go_on : pass(stream, text, std::move(resume));
}

OutputSink::Flow StepOutput::pass(OutputStream stream, std::string_view text, std::function<void()> resume) {
    capture_.add(stream, as_bytes(text));
    if (keep_) {
        auto& kept = kept_[index(stream)];
        kept += text.substr(0, kRegisterBytesMax - std::min(kRegisterBytesMax, kept.size()));
    }
    if (!sinks_.whole && !sinks_.by_step) return OutputSink::Flow::go_on;
    if (!sinks_.by_step) return sinks_.whole->on_output(sinks_.target, stream, text, std::move(resume));
    if (!sinks_.whole)
        return sinks_.by_step->on_step_output(sinks_.target, sinks_.step, stream, text, std::move(resume));
    // Both: the last of those that asked for time gives the word. One count is ours, until both were asked.
    const auto waiting = std::make_shared<std::atomic<int>>(3);
    const auto shared = [waiting, resume = std::move(resume)] {
        if (waiting->fetch_sub(1) == 1) resume();
    };
    for (int i = 0; i < 2; ++i) {
        const auto flow = i == 0 ? sinks_.whole->on_output(sinks_.target, stream, text, shared)
                                 : sinks_.by_step->on_step_output(sinks_.target, sinks_.step, stream, text, shared);
        if (flow == OutputSink::Flow::go_on) waiting->fetch_sub(1);
    }
    return waiting->fetch_sub(1) == 1 ? OutputSink::Flow::go_on : OutputSink::Flow::later;
}

void StepOutput::end_attempt(bool again) {
    for (const auto stream : {OutputStream::out, OutputStream::err}) {
        if (const auto rest = masks_[index(stream)].finish(); !rest.empty()) pass(stream, rest, [] {});
    }
    if (again) kept_ = {};
}

Row StepOutput::finish(Row& total, StepResult& result) {
    Row part;
    capture_.finish(part);
    result.output_bytes = raw_bytes_;
    result.output_begin = static_cast<std::uint32_t>(total.execute_msg.size());
    append_output(total, part);
    total.output_bytes += raw_bytes_;
    result.output_end = static_cast<std::uint32_t>(total.execute_msg.size());
    return part;
}

std::string StepOutput::kept(OutputStream stream) const {
    std::string text;
    Utf8Sanitizer sanitizer;
    sanitizer.feed(as_bytes(kept_[index(stream)]), text);
    sanitizer.finish(text);
    while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
    return text;
}

}  // namespace drover::job
