// The log of a phone from its step to the end of the job, through lost links and restarts: after each it goes on in a file of its
// own, logcat.txt, logcat-2.txt. What is there when drover is killed stays; a resumed run goes on after it.
//
// Threads, ownership: as Activity. Failure: what cannot get better ends it; whether it ever got a log decides in the end.
#pragma once
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "job/steps/operation_activity.hpp"

namespace drover::job {

class WholeLogActivity final : public Activity, private ActivityOwner {
public:
    static constexpr auto kAgainAfter = std::chrono::seconds(1);
    static constexpr auto kFirstBytesMax = std::chrono::seconds(10);    // for the log of a short job to begin
    static constexpr auto kLastLines = std::chrono::milliseconds(300);  // are on their way
    static constexpr std::size_t kFilesMax = 100;

    // What writes the log into the file of this number, or a later one: it says which. It calls `flowing` on the loop when its
    // first bytes come.
    using Number = std::shared_ptr<std::size_t>;
    using Open = std::function<PreparedOperation(const Number& number, std::function<void()> flowing)>;
    // files: how a file is called in the outcome; empty: not at all.
    WholeLogActivity(const ActivityContext& context, Open open, std::string files_below);
    ~WholeLogActivity() override { *handle_ = nullptr; }
    WholeLogActivity(const WholeLogActivity&) = delete;
    WholeLogActivity& operator=(const WholeLogActivity&) = delete;

    void start() override { open_next(); }
    void wind_up() override;
    void stop(const Error& why) override;
    void expire(std::string_view limit) override { stop(Error(Code::timeout, std::string(limit))); }

private:
    void open_next();
    void on_flowing();
    void on_wound_up() { stop(Error(Code::cancelled, "the job is over")); }
    OutputSink::Flow on_step_output(OutputStream, std::string_view, std::function<void()>) override {
        return OutputSink::Flow::go_on;
    }
    void on_outcome(Outcome&& outcome) override;
    void finish();

    fleet::Phone& phone_;
    ActivityOwner& owner_;
    const FileGround& ground_;
    const Limits limits_;
    const std::size_t target_;
    const Open open_;
    const std::string files_below_;
    bool flowing_ = false;  // this session's bytes come
    bool winding_up_ = false;
    bool stopped_ = false;
    Outcome last_;
    std::vector<Number> files_;
    std::unique_ptr<OperationActivity> session_;
    const std::shared_ptr<WholeLogActivity*> handle_;
    Timer again_ = Timer::calls<&WholeLogActivity::open_next>(*this);
    Timer wound_up_ = Timer::calls<&WholeLogActivity::on_wound_up>(*this);
};

std::string log_file_name(std::size_t number);  // from 1

}  // namespace drover::job
