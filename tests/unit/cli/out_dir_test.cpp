#include "cli/out_dir.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>
#include <thread>

#include "cli/row_queue.hpp"
#include "support/temp_dir.hpp"

namespace drover::cli {
namespace {

using test::read_file;
using Flow = OutputSink::Flow;

Row saved_row(std::size_t index, Code code = Code::ok) {
    Row row;
    row.index = index;
    row.code = code;
    if (code != Code::ok) row.error_msg = "bad";
    return row;
}

std::vector<Row> until_done(RowQueue& queue) {
    std::vector<Row> rows;
    while (true) {
        auto batch = queue.take(std::nullopt);
        for (auto& row : batch.rows) rows.push_back(std::move(row));
        if (batch.done) return rows;
    }
}

class OutDirTest : public testing::Test {
protected:
    std::unique_ptr<OutDir> make(std::vector<std::string> ids, OutDir::Kept kept = {}) {
        auto made = OutDir::create(dir_ / "deep" / "out", std::move(ids), std::move(kept), queue_);
        EXPECT_TRUE(made) << (made ? "" : made.error().message);
        return std::move(*made);
    }
    std::string file(const std::string& name) { return read_file(dir_ / "deep" / "out" / name); }

    test::TempDir dir_;
    RowQueue queue_;
};

TEST_F(OutDirTest, APipeInAFilesPlaceIsRefusedNotWaitedFor) {
    dir_.write("deep/out/other", "");
    ASSERT_EQ(::mkfifo((dir_ / "deep" / "out" / "a.out").c_str(), 0600), 0);
    const auto made = OutDir::create(dir_ / "deep" / "out", {"a"}, {}, queue_);
    ASSERT_FALSE(made);
    EXPECT_NE(made.error().message.find("a.out"), std::string::npos) << made.error().message;
}

TEST_F(OutDirTest, WritesEachStreamOfEachPhoneAndThenPassesTheRowOn) {
    dir_.write("deep/out/b.out", "of an older run");
    auto out = make({"a", "b"});
    EXPECT_EQ(out->on_output(0, OutputStream::out, "one ", [] {}), Flow::go_on);
    out->on_output(0, OutputStream::err, std::string_view("\0\xff", 2), [] {});
    out->on_output(0, OutputStream::out, "two", [] {});
    out->on_row(saved_row(0));
    out->on_row(saved_row(1));
    out->on_done();
    const auto rows = until_done(queue_);
    ASSERT_EQ(rows.size(), 2u);
    EXPECT_TRUE(rows[0].ok());
    EXPECT_EQ(file("a.out"), "one two");
    EXPECT_EQ(file("a.err"), std::string("\0\xff", 2));
    EXPECT_EQ(file("b.out"), "");  // fresh
    EXPECT_EQ(file("b.err"), "");
}

TEST_F(OutDirTest, KeepsOfEachPhoneWhatItIsTold) {
    for (const auto* name : {"a.out", "a.err", "b.out", "c.out", "c.err"})
        dir_.write(std::string("deep/out/") + name, "older");
    auto out = make({"a", "b", "c"}, {OutputLengths{2, 9}, OutputLengths{}, std::nullopt});
    EXPECT_EQ(file("a.out"), "ol");
    EXPECT_EQ(file("a.err"), "older") << "nothing is made up";
    EXPECT_EQ(file("b.out"), "");
    EXPECT_EQ(file("b.err"), "");
    EXPECT_EQ(file("c.out"), "older");
    out->on_output(0, OutputStream::out, "new", [] {});
    const auto lengths = out->lengths(0).value();
    EXPECT_EQ(lengths.out, 5U) << "whether it is there or not yet";
    EXPECT_EQ(lengths.err, 5U);
    EXPECT_EQ(out->lengths(2)->out, 5U);
    for (const std::size_t target : {0, 1, 2}) out->on_row(saved_row(target));
    out->on_done();
    EXPECT_EQ(until_done(queue_).size(), 3U);
    EXPECT_EQ(file("a.out"), "olnew");
}

TEST_F(OutDirTest, APhonePastItsLimitWaitsAndIsResumed) {
    auto out = make({"a"});
    const std::string piece(OutDir::kPhoneBytesMax, 'x');
    std::promise<void> resumed;
    EXPECT_EQ(out->on_output(0, OutputStream::out, piece, [&] { resumed.set_value(); }), Flow::later);
    resumed.get_future().wait();
    EXPECT_EQ(file("a.out"), piece);
    out->on_row(saved_row(0));
    out->on_done();
    until_done(queue_);
}

TEST_F(OutDirTest, AFileThatCannotBeWrittenIsToldInTheRow) {
    auto out = make({"a", "b", "c"});
    const auto dir = dir_ / "deep" / "out";
    for (const auto* name : {"a.out", "b.out"}) {
        std::filesystem::remove(dir / name);
        std::filesystem::create_symlink("/dev/null", dir / name);  // a link is refused, also for root
    }
    for (const std::size_t target : {0, 1, 2}) out->on_output(target, OutputStream::out, "x", [] {});
    out->on_row(saved_row(0));
    out->on_row(saved_row(1, Code::command_failed));
    out->on_row(saved_row(2));
    out->on_done();
    // A phone whose output was written before its row came is behind the others: rows have no order.
    auto rows = until_done(queue_);
    ASSERT_EQ(rows.size(), 3u);
    std::ranges::sort(rows, {}, &Row::index);
    EXPECT_EQ(rows[0].code, Code::output_not_written);
    EXPECT_NE(rows[0].error_msg.find("a.out: "), std::string::npos) << rows[0].error_msg;
    EXPECT_EQ(rows[1].code, Code::command_failed);
    EXPECT_NE(rows[1].error_msg.find("b.out: "), std::string::npos) << rows[1].error_msg;
    EXPECT_TRUE(rows[2].ok());
    EXPECT_EQ(file("c.out"), "x");
}

TEST_F(OutDirTest, StepsLeaveNothingOfAnOlderRun) {
    for (const auto* name : {"a/1-x/stdout", "a/1-x/stderr", "a/2-y/stdout", "a/3-z/stdout", "b/1-x/stdout"})
        dir_.write(std::string("kept/") + name, "older");
    const auto run = [&](OutDir::Older older) {
        auto out = *OutDir::create_by_step(dir_ / "kept", {"a", "b", "c"}, {"1-x", "2-y", "3-z"}, older, queue_);
        out->on_step_begin(0, 0);
        const auto late = std::chrono::steady_clock::now() + std::chrono::seconds(10);
        while (std::filesystem::exists(dir_ / "kept/a/1-x/stderr") && std::chrono::steady_clock::now() < late)
            std::this_thread::yield();
        out->on_step_output(0, 0, OutputStream::out, "now", [] {});
        out->on_step_begin(2, 0);
        out->on_step_output(2, 0, OutputStream::out, "new", [] {});
        out->on_step_begin(0, 1);  // step 3 is one that a resumed run has from before
        Row row = saved_row(0);
        row.steps.resize(3);
        out->on_row(row);
        out->on_row(saved_row(1));
        out->on_row(saved_row(2));
        out->on_done();
        for (const auto& done : until_done(queue_)) EXPECT_TRUE(done.ok()) << done.error_msg;
    };
    run(OutDir::Older::same_run);
    EXPECT_EQ(read_file(dir_ / "kept/a/1-x/stdout"), "now");
    EXPECT_FALSE(std::filesystem::exists(dir_ / "kept/a/1-x/stderr"));
    EXPECT_FALSE(std::filesystem::exists(dir_ / "kept/a/2-y/stdout"));
    EXPECT_EQ(read_file(dir_ / "kept/a/3-z/stdout"), "older");
    EXPECT_EQ(read_file(dir_ / "kept/b/1-x/stdout"), "older");
    EXPECT_EQ(read_file(dir_ / "kept/c/1-x/stdout"), "new");
    EXPECT_FALSE(std::filesystem::exists(dir_ / "kept/c/2-y"));
    run(OutDir::Older::other_run);  // whose second phone did not even begin
    EXPECT_FALSE(std::filesystem::exists(dir_ / "kept/b/1-x/stdout"));
}

TEST_F(OutDirTest, TellsWhenWhatWasPrintedIsInItsFile) {
    auto out = *OutDir::create_by_step(dir_ / "kept", {"a", "b"}, {"1-x"}, OutDir::Older::same_run, queue_);
    const auto me = std::this_thread::get_id();
    std::thread::id at_once;
    out->when_kept(0, [&] { at_once = std::this_thread::get_id(); });
    EXPECT_EQ(at_once, me) << "there was nothing to wait for";
    std::string order;
    std::promise<std::string> kept;
    out->on_step_begin(0, 0);
    const std::string text(300'000, 'x');
    out->on_step_output(0, 0, OutputStream::out, text, [] {});
    out->when_kept(0, [&] { order += read_file(dir_ / "kept/a/1-x/stdout") == text ? "whole " : "cut "; });
    out->when_kept(0, [&] { kept.set_value(order + "second"); });
    EXPECT_EQ(kept.get_future().get(), "whole second");
    // Where nothing can be written, nobody waits for ever.
    dir_.write("kept/b", "no directory");
    std::promise<void> given_up;
    out->on_step_output(1, 0, OutputStream::out, "x", [] {});
    out->when_kept(1, [&] { given_up.set_value(); });
    given_up.get_future().get();
    out->on_row(saved_row(0));
    out->on_row(saved_row(1));
    out->on_done();
    EXPECT_EQ(until_done(queue_).size(), 2U);
}

TEST_F(OutDirTest, SaysWhatIsWrongBeforeAnythingIsSent) {
    dir_.write("file", "");
    const auto below_a_file = OutDir::create(dir_ / "file" / "out", {"a"}, {}, queue_);
    ASSERT_FALSE(below_a_file);
    EXPECT_EQ(below_a_file.error().code, Code::usage);
    std::filesystem::create_directories(dir_ / "busy" / "a.out");
    const auto dir_for_file = OutDir::create(dir_ / "busy", {"a"}, {}, queue_);
    ASSERT_FALSE(dir_for_file);
    EXPECT_NE(dir_for_file.error().message.find("a.out: Is a directory"), std::string::npos)
        << dir_for_file.error().message;
}

}  // namespace
}  // namespace drover::cli
