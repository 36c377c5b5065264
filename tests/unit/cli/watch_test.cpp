// Stopping, with a call that does what the test wants: real signals to this process, no phones.
#include "cli/watch.hpp"

#include <gmock/gmock.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <optional>
#include <vector>

namespace drover::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

class FakeCall final : public Call {
public:
    explicit FakeCall(std::function<void(const Error&)> on_stop) : on_stop_(std::move(on_stop)) {}
    void stop(Error why) override {
        if (!stopped_) on_stop_(why);
        stopped_ = true;
    }
    void wait() override {}

private:
    std::function<void(const Error&)> on_stop_;
    bool stopped_ = false;
};

Row ended_row(std::size_t index, Code code = Code::ok) {
    Row row;
    row.index = index;
    row.instance_id = index == 0 ? "a" : "b";
    row.code = code;
    return row;
}

class WatchTest : public testing::Test {
protected:
    // Two targets; `a` has ended well. on_stop: what the call does when it is told to stop.
    Watch::End run(const std::function<void(const Error&)>& on_stop) {
        Context context;
        context.output = OutputMode::jsonl;
        testing::internal::CaptureStdout();
        testing::internal::CaptureStderr();
        Presenter presenter(context, {"a", "b"}, report::Steps::none);
        FakeCall call(on_stop);
        stopper_.emplace(false, queue_, patience_);
        for (const int signal : early_) ::kill(::getpid(), signal);
        stopper_->attach(call);
        queue_.on_row(ended_row(0));
        const auto end = Watch(queue_, *stopper_, presenter, call).run();
        stopper_->detach();
        out_ = testing::internal::GetCapturedStdout();
        err_ = testing::internal::GetCapturedStderr();
        code_ = presenter.tally().exit_code({stopper_->signal(), false});
        return end;
    }
    // Before or while the call begins: it must not be lost.
    void send(int signal) { early_.push_back(signal); }

    RowQueue queue_;
    // A time that never passes, unless a test is about it: how busy the machine is decides nothing.
    Stopper::Patience patience_{std::chrono::hours(1), std::chrono::hours(1)};
    std::optional<Stopper> stopper_;
    std::vector<int> early_;
    std::string out_, err_;
    int code_ = -1;
};

TEST_F(WatchTest, AStopEndsWithTheRowsOfTheCall) {
    std::string why;
    send(SIGTERM);
    EXPECT_EQ(run([&](const Error& error) {
                  why = error.message;
                  queue_.on_row(ended_row(1, Code::interrupted));
                  queue_.on_done();
              }),
              Watch::End::complete);
    EXPECT_EQ(why, "SIGTERM");
    EXPECT_EQ(code_, 143);
    EXPECT_THAT(out_, Not(HasSubstr("abandoned")));
    EXPECT_THAT(err_, HasSubstr("stopping"));
}

TEST_F(WatchTest, ACallThatDoesNotDrainIsAbandoned) {
    EXPECT_EQ(Stopper::kDrainMax, std::chrono::seconds(2));
    patience_.drain = std::chrono::milliseconds(50);
    send(SIGHUP);
    EXPECT_EQ(run([](const Error&) {}), Watch::End::abandoned);
    EXPECT_FALSE(stopper_->abandoned());
    EXPECT_EQ(code_, 129);
    EXPECT_THAT(out_,
                HasSubstr(R"("instance_id":"b","status":-1,"error_code":"DROVER.5002","error_msg":"abandoned: )"));
    EXPECT_EQ(std::count(out_.begin(), out_.end(), '\n'), 2);
}

TEST_F(WatchTest, ASecondSignalAbandonsAtOnce) {
    send(SIGINT);
    EXPECT_EQ(run([](const Error&) { ::kill(::getpid(), SIGTERM); }), Watch::End::abandoned);
    EXPECT_TRUE(stopper_->abandoned());
    EXPECT_EQ(code_, 130);
}

TEST_F(WatchTest, ASecondRowOfOnePhoneIsNotShown) {
    queue_.on_row(ended_row(0));
    queue_.on_row(ended_row(1));
    queue_.on_done();
    EXPECT_EQ(run([](const Error&) {}), Watch::End::complete);
    EXPECT_EQ(std::count(out_.begin(), out_.end(), '\n'), 2) << out_;
    EXPECT_EQ(code_, 0);
}

}  // namespace
}  // namespace drover::cli
