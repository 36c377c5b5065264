// sleep: waits. fail: ends the job on this phone, with a message.
#include <fmt/format.h>

#include "base/duration.hpp"
#include "dispatch/execution.hpp"
#include "job/steps/kinds.hpp"

namespace drover::job {
namespace {

class SleepActivity final : public Activity {
public:
    SleepActivity(const ActivityContext& context, Millis time)
        : loop_(context.phone.loop()), owner_(context.owner), time_(time) {}
    void start() override { loop_.arm_after(timer_, time_); }
    void stop(const Error& why) override { finish(why.code, why.message); }
    void expire(std::string_view limit) override { finish(Code::timeout, limit); }

private:
    void on_time() { owner_.on_outcome(Outcome{Code::ok, {}, {}, Phase::done, true}); }
    void finish(Code code, std::string_view detail) {
        timer_.cancel();
        owner_.on_outcome(Outcome{code, dispatch::error_text(code, detail), {}, Phase::run, true});
    }

    Loop& loop_;
    ActivityOwner& owner_;
    const Millis time_;
    Timer timer_ = Timer::calls<&SleepActivity::on_time>(*this);
};

class SleepAction final : public Action {
public:
    explicit SleepAction(Millis time) : time_(time) {}
    Result<std::unique_ptr<Activity>> make(const ActivityContext& context) const override {
        return std::make_unique<SleepActivity>(context, time_);
    }
    std::string describe(const Scope&, std::string_view) const override { return "sleep " + drover::to_string(time_); }
    void each_template(const std::function<void(const Template&)>&) const override {}
    std::optional<Millis> usual_timeout() const override { return time_ + Millis(10'000); }

private:
    const Millis time_;
};

class FailActivity final : public Activity {
public:
    FailActivity(ActivityOwner& owner, std::string message) : owner_(owner), message_(std::move(message)) {}
    void start() override {
        owner_.on_outcome(
            Outcome{Code::command_failed, dispatch::error_text(Code::command_failed, message_), {}, Phase::run, false});
    }
    void stop(const Error&) override {}
    void expire(std::string_view) override {}

private:
    ActivityOwner& owner_;
    const std::string message_;
};

class FailAction final : public Action {
public:
    explicit FailAction(Template message) : message_(std::move(message)) {}
    Result<std::unique_ptr<Activity>> make(const ActivityContext& context) const override {
        auto message = message_.expand(context.scope);
        if (!message) return drover::fail(Code::step_impossible, std::move(message.error()));
        return std::make_unique<FailActivity>(context.owner, *std::move(message));
    }
    std::string describe(const Scope& scope, std::string_view) const override {
        return "fail: " + message_.preview(scope);
    }
    void each_template(const std::function<void(const Template&)>& tell) const override { tell(message_); }

private:
    const Template message_;
};

}  // namespace

std::shared_ptr<const Action> read_sleep(const yaml::Node& value, const std::string& path, FileReader& reader) {
    const auto time = yaml::read_duration(value, path, reader.problems());
    return time ? std::make_shared<const SleepAction>(*time) : nullptr;
}

std::shared_ptr<const Action> read_fail(const yaml::Node& value, const std::string& path, FileReader& reader) {
    auto message = reader.read_template(value, path, Template::Use::plain);
    return message ? std::make_shared<const FailAction>(*std::move(message)) : nullptr;
}

}  // namespace drover::job
