// What steps print is kept before the journal says that they have ended: a run that is killed in between has lost nothing.
#include <gmock/gmock.h>

#include "unit/job/job_fixture.hpp"

namespace drover::test {
namespace {

// Files that are slow: once something was printed, whoever asks has to wait.
struct SlowFiles final : OutputSink, StepSink {
    std::mutex mutex;
    bool printed = false;
    std::vector<std::function<void()>> waiting;
    Event asked;

    Flow on_output(std::size_t, OutputStream, std::string_view, std::function<void()>) override { return print(); }
    Flow on_step_output(std::size_t, std::size_t, OutputStream, std::string_view, std::function<void()>) override {
        return print();
    }
    Flow print() {
        const std::lock_guard lock(mutex);
        printed = true;
        return Flow::go_on;
    }
    void when_kept(std::size_t, std::function<void()> then) override {
        {
            const std::lock_guard lock(mutex);
            if (printed) {
                waiting.push_back(std::move(then));
                return asked.add();
            }
        }
        then();
    }
    // Everything is written at last.
    void catch_up() {
        std::vector<std::function<void()>> all;
        {
            const std::lock_guard lock(mutex);
            printed = false;
            all.swap(waiting);
        }
        for (const auto& then : all) then();
    }
};

// Files of steps, or of whole phones.
class Kept : public testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(Files, Kept, testing::Bool());

TEST_P(Kept, TheJournalWaitsForTheFilesOfAStep) {
    const TempDir dir;
    FakeFleet fleet(1, 1);
    SlowFiles files;
    const job::RunHead head{"run-1", "/j.yaml", "abc", {"p0"}};
    const auto shared = shared_of(job_of("- {name: a, run: out one}\n- {name: b, run: out two}\n"));
    if (GetParam()) {
        shared->artifacts = &files;
    } else {
        shared->output = &files;
    }
    shared->journal = *job::Journal::create(dir.path(), head);
    shared->numbers = {0};
    Rows rows;
    auto call = dispatch::dispatch(request_of(play_on(fleet), shared), rows);
    for (const std::size_t step : {0U, 1U}) {
        // The end of this step, and the beginning of the next one.
        files.asked.wait_for(step == 0 ? 2 : 3);
        const auto past = job::Journal::read(dir.path(), "run-1");
        ASSERT_TRUE(past) << past.error().message;
        EXPECT_EQ(past->phones[0].begun, std::set<std::size_t>{step});
        EXPECT_EQ(past->phones[0].ended.size(), step);
        std::size_t opened = 0;
        fleet.at(0, [&](FakeConnector& c) { opened = c.carrier.opened.size(); });
        EXPECT_EQ(opened, step + 1) << "a step began before its note";
        files.catch_up();
    }
    call->wait();
    shared->journal->close();
    ASSERT_EQ(rows.rows.size(), 1U);
    EXPECT_TRUE(rows.rows[0].ok()) << rows.rows[0].error_msg;
    EXPECT_EQ(job::Journal::read(dir.path(), "run-1")->phones[0].ended.size(), 2U);
}

}  // namespace
}  // namespace drover::test
