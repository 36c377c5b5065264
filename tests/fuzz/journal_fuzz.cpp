// Any text as the journal of a run: a line that is refused changes nothing, what is read is within its bounds and can be given again,
// and it is the same when it is written and read once more. A line of ours that was cut off is none.
#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "job/give_again.hpp"
#include "job/journal_lines.hpp"

namespace {

using namespace drover;
using namespace drover::job;

constexpr std::size_t kLinesMax = 64;

using Lines = std::vector<std::string>;

// Everything but the lengths of files, which are those of the line that came last.
Lines lines_of(const Past& past) {
    Lines out{head_line(past.head)};
    for (std::size_t i = 0; i < past.phones.size(); ++i) {
        const auto& phone = past.phones[i];
        for (const auto& [step, ended] : phone.ended) out.push_back(end_line(i, step, ended));
        for (const auto step : phone.begun) out.push_back(begin_line(i, step));
        if (phone.row) out.push_back(row_line(i, *phone.row));
    }
    // Where a step did not say where its files are, it meant the folder named before it.
    out.push_back(out_dir_line(past.out_dir));
    out.push_back(artifacts_line(past.artifacts));
    return out;
}

// What is given again of each step are pieces of its text, in order.
class Given final : public StepSink {
public:
    explicit Given(std::string_view text) : text_(text) {}
    void on_step_begin(std::size_t, std::size_t) override { at_ = std::string_view::npos; }
    OutputSink::Flow on_step_output(std::size_t, std::size_t, OutputStream, std::string_view piece,
                                    std::function<void()>) override {
        const auto at = static_cast<std::size_t>(piece.data() - text_.data());
        DROVER_ASSERT(owned_ || (at <= text_.size() && piece.size() <= text_.size() - at));
        DROVER_ASSERT(owned_ || at_ == std::string_view::npos || at == at_);
        at_ = at + piece.size();
        bytes_ += piece.size();
        return OutputSink::Flow::go_on;
    }
    std::size_t bytes() const { return bytes_; }
    void copies() { owned_ = true; }  // the pieces are of copies of the text

private:
    const std::string_view text_;
    std::size_t at_ = std::string_view::npos;
    std::size_t bytes_ = 0;
    bool owned_ = false;
};

void check_text(const Row& row) {
    std::uint32_t end = 0;
    for (const auto& run : row.runs) {
        DROVER_ASSERT(run.end >= end && run.end <= row.execute_msg.size());
        end = run.end;
    }
}

void check(const PastPhone& phone) {
    for (const auto& [step, ended] : phone.ended) {
        check_text(ended.part);
        Given given(ended.part.execute_msg);
        give_step_again(given, 0, step, ended.result, ended.part);
        DROVER_ASSERT(given.bytes() <= ended.part.execute_msg.size());
    }
    if (!phone.row) return;
    check_text(*phone.row);
    for (const auto& step : phone.row->steps) {
        DROVER_ASSERT(step.output_begin <= step.output_end);
        DROVER_ASSERT(step.output_end <= phone.row->execute_msg.size());
    }
    Given given(phone.row->execute_msg);
    given.copies();
    give_row_again(given, 0, *phone.row);
    DROVER_ASSERT(given.bytes() <= phone.row->execute_msg.size() * phone.row->steps.size());
}

Past read(std::string_view text) {
    Past past;
    for (std::size_t i = 0; i < kLinesMax && !text.empty(); ++i) {
        const auto line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
        const auto before = lines_of(past);
        if (!take_line(line, past)) DROVER_ASSERT(lines_of(past) == before);
        DROVER_ASSERT(past.phones.size() == past.head.phones.size());
    }
    return past;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto past = read(as_text({data, size}));
    for (const auto& phone : past.phones) check(phone);
    const auto lines = lines_of(past);
    Past again;
    for (const std::string_view line : lines) {
        DROVER_ASSERT(line.ends_with("}\n"));
        for (const auto cut : {line.size() - 2, line.size() / 2}) DROVER_ASSERT(!take_line(line.substr(0, cut), again));
        DROVER_ASSERT(take_line(line.substr(0, line.size() - 1), again));
    }
    DROVER_ASSERT(lines_of(again) == lines);
    return 0;
}
