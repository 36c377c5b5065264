// reboot: restarts the phone and waits until Android has booted again.
#include <fmt/format.h>

#include <utility>

#include "adb/stream.hpp"
#include "dispatch/execution.hpp"
#include "job/steps/kinds.hpp"

namespace drover::job {
namespace {

constexpr Millis kRebootTimeout{300'000};

class RebootActivity final : public Activity,
                             private fleet::Waiter,
                             private fleet::StateListener,
                             private adb::StreamHandler {
public:
    explicit RebootActivity(const ActivityContext& context)
        : phone_(context.phone), owner_(context.owner), connect_(context.limits.connect) {}
    ~RebootActivity() override { let_go(); }

    void start() override {
        if (!phone_.peer()) phone_.loop().arm_after(no_link_, connect_);
        waiting_ = true;
        phone_.wait(*this);
    }
    void stop(const Error& why) override { finish(why.code, why.message); }
    void expire(std::string_view limit) override {
        if (waiting_) return on_no_link();  // whichever limit passes
        finish(Code::timeout, fmt::format("{}: the phone is {}", limit, to_string(phone_.state().condition)));
    }

private:
    void on_ready(adb::Carrier& carrier) override {
        waiting_ = false;
        no_link_.cancel();
        const auto stream = carrier.open("reboot:", *this);
        if (!stream) return finish(stream.error().code, stream.error().message);
        carrier_ = &carrier;
        stream_ = *stream;
        opened_ = true;
        watching_ = true;
        phone_.show_reboot(true, "a job's step: reboot");
        phone_.watch(*this);
    }
    void on_hopeless(const Error& why) override {
        waiting_ = false;
        finish(why.code, why.message);
    }
    void on_no_link() {
        const auto& last = phone_.last_error();
        finish(Code::phone_not_found, last ? last->message : "no connection in time");
    }

    void on_open() override {}
    adb::Ack on_data(ByteView) override { return adb::Ack::now; }
    void on_closed(const std::optional<Error>& why) override {
        carrier_ = nullptr;
        if (why && why->code == Code::refused) finish(why->code, why->message);
    }

    // It goes away, and comes back.
    void on_state(const fleet::Phone& phone) override {
        if (phone.out_of_service()) {
            out_of_service_ = phone.out_of_service();  // it may be back in service a moment later
            return phone_.loop().arm_after(disabled_, Duration::zero());
        }
        const auto condition = phone.state().condition;
        if (condition != fleet::Condition::running) was_away_ = true;
        if (!was_away_ || condition != fleet::Condition::running) return;
        // The phone is still telling its listeners: this must not go from under it.
        phone_.loop().arm_after(booted_, Duration::zero());
    }
    void on_booted() { finish(Code::ok, {}); }
    // Nobody connects to it any more: it will not be seen to come back.
    void on_disabled() { finish(out_of_service_->code, out_of_service_->message); }

    void let_go() {
        no_link_.cancel();
        booted_.cancel();
        disabled_.cancel();
        if (std::exchange(waiting_, false)) phone_.leave(*this);
        if (std::exchange(watching_, false)) phone_.unwatch(*this);
        if (auto* carrier = std::exchange(carrier_, nullptr)) carrier->close(stream_);
    }
    void finish(Code code, std::string_view detail) {
        if (std::exchange(done_, true)) return;
        let_go();
        const bool ok = code == Code::ok;
        if (opened_ && !was_away_) phone_.show_reboot(false, "it did not reboot");
        owner_.on_outcome(Outcome{code,
                                  ok ? std::string() : dispatch::error_text(code, detail),
                                  {},
                                  ok        ? Phase::done
                                  : opened_ ? Phase::run
                                            : Phase::connect,
                                  opened_});
    }

    fleet::Phone& phone_;
    ActivityOwner& owner_;
    const Limits::Millis connect_;
    adb::Carrier* carrier_ = nullptr;
    adb::StreamId stream_ = 0;
    bool waiting_ = false, watching_ = false, opened_ = false, was_away_ = false, done_ = false;
    std::optional<Error> out_of_service_;
    Timer no_link_ = Timer::calls<&RebootActivity::on_no_link>(*this);
    Timer booted_ = Timer::calls<&RebootActivity::on_booted>(*this);
    Timer disabled_ = Timer::calls<&RebootActivity::on_disabled>(*this);
};

class RebootAction final : public Action {
public:
    Result<std::unique_ptr<Activity>> make(const ActivityContext& context) const override {
        return std::make_unique<RebootActivity>(context);
    }
    std::string describe(const Scope&, std::string_view) const override {
        return "reboot, and wait until it has booted";
    }
    void each_template(const std::function<void(const Template&)>&) const override {}
    std::optional<Millis> usual_timeout() const override { return kRebootTimeout; }
};

}  // namespace

std::shared_ptr<const Action> read_reboot(const yaml::Node& value, const std::string& path, FileReader& reader) {
    return read_yes(value, path, reader) ? std::make_shared<const RebootAction>() : nullptr;
}

}  // namespace drover::job
