// Output that the journal has, for files that may not have it.
#include "job/give_again.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>

namespace drover::job {
namespace {

struct Files final : StepSink {
    std::map<std::string, std::string> text;
    void on_step_begin(std::size_t target, std::size_t step) override {
        for (const char* stream : {"out", "err"}) text[fmt::format("{}/{}/{}", target, step, stream)] = "";
    }
    OutputSink::Flow on_step_output(std::size_t target, std::size_t step, OutputStream stream, std::string_view bytes,
                                    std::function<void()> resume) override {
        text[fmt::format("{}/{}/{}", target, step, stream == OutputStream::out ? "out" : "err")] += bytes;
        resume();
        return OutputSink::Flow::later;
    }
};

TEST(GiveAgain, EachStepGetsWhatItPrinted) {
    Row row;
    row.execute_msg = "oneEeTWOcut";
    row.runs = {{OutputStream::out, 3}, {OutputStream::err, 5}, {OutputStream::out, 11}};
    row.steps.resize(4);
    const auto say = [&](std::size_t i, std::uint32_t begin, std::uint32_t end, std::uint64_t bytes) {
        row.steps[i].output_begin = begin;
        row.steps[i].output_end = end;
        row.steps[i].output_bytes = bytes;
    };
    say(0, 0, 4, 4);
    say(1, 4, 8, 4);
    say(2, 8, 8, 0);
    say(3, 8, 11, 1000);  // the row holds a part only
    Files files;
    give_row_again(files, 7, row);
    EXPECT_EQ(files.text, (std::map<std::string, std::string>{
                              {"7/0/out", "one"}, {"7/0/err", "E"}, {"7/1/out", "TWO"}, {"7/1/err", "e"}}));
}

}  // namespace
}  // namespace drover::job
