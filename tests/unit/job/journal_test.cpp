// The journal of a run on a disk that fails.
#include "job/journal.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/resource.h>

#include <condition_variable>
#include <csignal>

#include "support/temp_dir.hpp"

namespace drover::job {
namespace {

using testing::HasSubstr;

const RunHead kHead{"run-1", "/j.yaml", "abc", {"a", "b"}};

// No file of this process may grow while it lives.
struct FullDiskHere {
    FullDiskHere() {
        std::signal(SIGXFSZ, SIG_IGN);
        ::getrlimit(RLIMIT_FSIZE, &old);
        const rlimit none{0, old.rlim_max};
        ::setrlimit(RLIMIT_FSIZE, &none);
    }
    ~FullDiskHere() {
        ::setrlimit(RLIMIT_FSIZE, &old);
        std::signal(SIGXFSZ, SIG_DFL);
    }
    rlimit old{};
};

// Notes one beginning, and waits until it is noted.
void begin_and_wait(
    Journal& journal, std::size_t step, const std::function<void()>& noted = [] {}) {
    std::mutex mutex;
    std::condition_variable changed;
    bool done = false;
    journal.begin(0, step, [&] {
        noted();
        const std::lock_guard lock(mutex);
        done = true;
        changed.notify_all();
    });
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return done; });
}

TEST(Journal, TellsWhatWasBegunAndWhatEnded) {
    const test::TempDir dir;
    const auto journal = *Journal::create(dir.path(), kHead);
    begin_and_wait(*journal, 0);
    journal->end(0, 0, EndedStep());
    begin_and_wait(*journal, 1);
    const auto past = Journal::read(dir.path(), "run-1");
    ASSERT_TRUE(past);
    EXPECT_EQ(past->phones.at(0).begun, std::set<std::size_t>{1});
    EXPECT_EQ(past->phones.at(0).ended.size(), 1U);
}

// A secret that was not there, a template without a value: whoever corrects it takes the run up.
TEST(Journal, WhatAMistakeKeptFromBeingTriedHasNotHappened) {
    const test::TempDir dir;
    const auto journal = *Journal::create(dir.path(), kHead);
    begin_and_wait(*journal, 0);
    EndedStep wrong;
    wrong.result.code = Code::bad_job;
    journal->end(0, 0, wrong);
    Row row;
    row.code = Code::bad_job;
    journal->row(0, row);
    begin_and_wait(*journal, 1);
    wrong.result.continued = true;
    journal->end(0, 1, wrong);
    begin_and_wait(*journal, 2);
    const auto past = Journal::read(dir.path(), "run-1");
    ASSERT_TRUE(past);
    EXPECT_FALSE(past->phones.at(0).row);
    EXPECT_EQ(past->phones.at(0).begun, std::set<std::size_t>{2});
    EXPECT_EQ(past->phones.at(0).ended.size(), 1U) << "the job went on after the second one";
}

// A disk may give back what nobody wrote.
TEST(Journal, LinesThatContradictThemselves) {
    const test::TempDir dir;
    const std::string head = R"({"journal":1,"run":"run-1","file":"/j","fingerprint":"f","phones":["a","b"]})";
    const std::string row = R"({"row":1,"code":"ok","error":"","phase":7,"exit":null,"bytes":3,"attempts":1,"ms":9,)"
                            R"("steps":[],"text":"abc","runs":[[1,3],[2,1],[1,9]],"truncated":false})";
    dir.write("run-1.jsonl", head + "\n" + R"({"journal":1,"run":"run-2","file":"/k","fingerprint":"g"})" + "\n" +
                                 R"({"journal":1,"run":"run-3","file":"/k","fingerprint":"g","phones":[]})" + "\n" +
                                 row + "\n");
    const auto past = Journal::read(dir.path(), "run-1");
    ASSERT_TRUE(past) << past.error().message;
    EXPECT_EQ(past->head.file, "/j");
    ASSERT_EQ(past->phones.size(), 2U);
    ASSERT_TRUE(past->phones[1].row);
    std::vector<std::uint32_t> ends;
    for (const auto& run : past->phones[1].row->runs) ends.push_back(run.end);
    EXPECT_EQ(ends, (std::vector<std::uint32_t>{3, 3, 3})) << "in order, and within the text";
}

TEST(Journal, ARunAtWorkIsNoneThatHasEnded) {
    const test::TempDir dir;
    {
        const auto journal = *Journal::create(dir.path(), kHead);
        const auto past = Journal::read_ended(dir.path(), "run-1");
        ASSERT_FALSE(past);
        EXPECT_EQ(past.error().message, "run 'run-1' is still at work");
    }
    EXPECT_TRUE(Journal::read_ended(dir.path(), "run-1"));
}

TEST(Journal, TellsHowLongTheFilesWereThatAPhonesOutputIsIn) {
    const test::TempDir dir;
    const auto journal = *Journal::create(dir.path(), kHead);
    const auto end = [&](std::size_t step, std::optional<OutputLengths> lengths) {
        EndedStep ended;
        ended.lengths = lengths;
        journal->end(0, step, ended);
    };
    const auto expect = [&](const std::string& out_dir, std::uint64_t out, std::uint64_t err) {
        begin_and_wait(*journal, 7);
        const auto past = Journal::read(dir.path(), "run-1");
        ASSERT_TRUE(past);
        EXPECT_EQ(past->out_dir, out_dir);
        EXPECT_EQ(past->phones.at(0).lengths.out, out);
        EXPECT_EQ(past->phones.at(0).lengths.err, err);
        EXPECT_EQ(past->phones.at(1).lengths.out, 0U);
    };
    end(0, std::nullopt);
    expect("", 0, 0);
    journal->out_dir("/out");
    end(1, OutputLengths{3, 5'000'000'000});
    expect("/out", 3, 5'000'000'000);
    // A part of the run that wrote none.
    end(2, std::nullopt);
    expect("/out", 3, 5'000'000'000);
    journal->out_dir("/other \"one\"");
    expect("/other \"one\"", 0, 0);
}

TEST(Journal, OneThatCouldNotBeWrittenIsNoneBeforeAnybodyGoesOn) {
    const test::TempDir dir;
    const auto journal = *Journal::create(dir.path(), kHead);
    std::string told;
    journal->on_failure([&](const std::string& why) { told = why; });
    begin_and_wait(*journal, 0);
    {
        const FullDiskHere full;
        begin_and_wait(*journal, 1, [&] {
            EXPECT_THAT(told, HasSubstr("File too large"));
            EXPECT_FALSE(Journal::read(dir.path(), "run-1")) << "step 1 is about to run, and would run again";
        });
    }
    // There is room again: too late.
    begin_and_wait(*journal, 2);
    journal->close();
    EXPECT_THAT(Journal::reopen(dir.path(), "run-1").error().message, HasSubstr("says nothing of run 'run-1'"));
}

TEST(Journal, WhoAsksLateIsToldToo) {
    const test::TempDir dir;
    const auto journal = *Journal::create(dir.path(), kHead);
    {
        const FullDiskHere full;
        begin_and_wait(*journal, 0);
    }
    std::string told;
    journal->on_failure([&](const std::string& why) { told = why; });
    EXPECT_THAT(told, HasSubstr("File too large"));
}

}  // namespace
}  // namespace drover::job
