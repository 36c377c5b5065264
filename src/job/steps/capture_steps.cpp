// screenshot, bugreport and logcat: what a phone shows and says, in a file.
#include <fmt/format.h>

#include "job/steps/file_steps.hpp"
#include "job/steps/kinds.hpp"
#include "job/steps/whole_log_activity.hpp"
#include "transfer/bugreport.hpp"
#include "transfer/operations.hpp"

namespace drover::job {
namespace {

constexpr Millis kCaptureTimeout{60'000};
constexpr Millis kUsualReport{900'000};
constexpr Millis kBesides{30'000};  // a log of some time: connecting, and the last bytes

class CaptureAction : public Action {
public:
    explicit CaptureAction(KeepPlace to) : to_(std::move(to)) {}
    void each_template(const std::function<void(const Template&)>& tell) const override { to_.each_template(tell); }
    bool needs_files() const override { return true; }
    bool needs_artifacts() const override { return !to_.is_named(); }

protected:
    using Make = std::function<dispatch::OperationFactory(WorkPool& disk, transfer::PlaceOf place)>;

    Result<std::unique_ptr<Activity>> make_into(const ActivityContext& context, const std::string& name,
                                                Make make) const {
        const auto place = to_.of(context);
        if (!place) return fail(Code::step_impossible, place.error());
        PreparedOperation what;
        what.files = place->files({name});
        what.prepare = [&disk = context.files->disk, make = std::move(make), directory = place->directory,
                        name]() -> Result<dispatch::OperationFactory> {
            if (auto made = make_directories(directory); !made) return tl::unexpected(made.error());
            return make(disk, [file = directory / name](const Instance&) { return file; });
        };
        return std::make_unique<OperationActivity>(context, std::move(what));
    }

    const KeepPlace to_;
};

class ScreenshotAction final : public CaptureAction {
public:
    using CaptureAction::CaptureAction;

    Result<std::unique_ptr<Activity>> make(const ActivityContext& context) const override {
        return make_into(context, "screenshot.png",
                         [limits = transfer_limits(context, kTransferSilence)](WorkPool& disk, auto place) {
                             return transfer::make_screenshot(disk, std::move(place), limits);
                         });
    }
    std::string describe(const Scope& scope, std::string_view) const override {
        return fmt::format("screencap -p, as screenshot.png into {}", to_.preview(scope));
    }
    std::optional<Millis> usual_timeout() const override { return kCaptureTimeout; }
};

class BugreportAction final : public CaptureAction {
public:
    using CaptureAction::CaptureAction;

    Result<std::unique_ptr<Activity>> make(const ActivityContext& context) const override {
        return make_into(context, "bugreport.zip",
                         [limits = transfer_limits(context, std::nullopt)](WorkPool& disk, auto place) {
                             return transfer::make_bugreport(disk, std::move(place), limits);
                         });
    }
    std::string describe(const Scope& scope, std::string_view) const override {
        return fmt::format("bugreportz, as bugreport.zip into {}", to_.preview(scope));
    }
    std::optional<Millis> usual_timeout() const override { return kUsualReport; }
};

class LogcatAction final : public CaptureAction {
public:
    LogcatAction(KeepPlace to, std::optional<Millis> time, bool whole_job, Template words)
        : CaptureAction(std::move(to)), time_(time), whole_job_(whole_job), words_(std::move(words)) {}

    Result<std::unique_ptr<Activity>> make(const ActivityContext& context) const override {
        const auto words = words_.expand(context.scope);
        if (!words) return fail(Code::step_impossible, "args: " + words.error());
        if (whole_job_) return make_whole(context, *words);
        // A phone may have nothing to say for a while.
        auto limits = transfer_limits(context, time_ ? std::nullopt : std::optional(kTransferSilence));
        limits.enough = time_;
        return make_into(context, "logcat.txt", [limits, words = arguments(*words)](WorkPool& disk, auto place) {
            return transfer::make_logcat(disk, words, std::move(place), limits);
        });
    }
    std::string describe(const Scope& scope, std::string_view) const override {
        const auto words = arguments(words_.preview(scope));
        return fmt::format("logcat{}{}{}, as logcat.txt into {}", words.empty() ? "" : " ", words,
                           whole_job_ ? ", until the job is over"
                           : time_    ? fmt::format(" for {}", drover::to_string(*time_))
                                      : "",
                           to_.preview(scope));
    }
    void each_template(const std::function<void(const Template&)>& tell) const override {
        to_.each_template(tell);
        tell(words_);
    }
    std::optional<Millis> usual_timeout() const override { return time_ ? *time_ + kBesides : kCaptureTimeout; }
    bool goes_on() const override { return whole_job_; }

private:
    Result<std::unique_ptr<Activity>> make_whole(const ActivityContext& context, const std::string& words) const {
        const auto place = to_.of(context);
        if (!place) return fail(Code::step_impossible, place.error());
        auto open = [&disk = context.files->disk, words, directory = place->directory, resumed = context.resumed,
                     limits = endless(transfer_limits(context, std::nullopt))](
                        const std::shared_ptr<std::size_t>& number, std::function<void()> flowing) {
            PreparedOperation what;
            what.prepare = [&disk, words, directory, resumed, number, limits,
                            flowing = std::move(flowing)]() -> Result<dispatch::OperationFactory> {
                if (auto made = make_directories(directory); !made) return tl::unexpected(made.error());
                // What was kept before a crash stays.
                std::error_code error;
                while (resumed && std::filesystem::exists(directory / log_file_name(*number), error)) ++*number;
                auto own = limits;
                own.flowing = flowing;
                return transfer::make_growing_logcat(
                    disk, words, [file = directory / log_file_name(*number)](const Instance&) { return file; }, own);
            };
            return what;
        };
        return std::make_unique<WholeLogActivity>(context, std::move(open), place->artifact);
    }
    // It ends with the job, whatever limit that has.
    static transfer::TransferLimits endless(transfer::TransferLimits limits) {
        constexpr std::chrono::hours kLongerThanAnyJob{24 * 365};
        limits.limits.total = kLongerThanAnyJob;
        return limits;
    }
    // Without a time: what the phone has, and no more.
    std::string arguments(const std::string& words) const {
        if (time_ || whole_job_) return words;
        return words.empty() ? "-d" : "-d " + words;
    }

    const std::optional<Millis> time_;
    const bool whole_job_;
    const Template words_;
};

template <class Kept>
std::shared_ptr<const Action> read_kept(const yaml::Node& value, const std::string& path, FileReader& reader) {
    if (!value.is_map()) return read_yes(value, path, reader) ? std::make_shared<const Kept>(KeepPlace()) : nullptr;
    const yaml::MapReader map(value, path, kKeepKeys, reader.problems());
    const auto to = read_keep_place(map, reader);
    return to ? std::make_shared<const Kept>(*to) : nullptr;
}

}  // namespace

std::shared_ptr<const Action> read_screenshot(const yaml::Node& value, const std::string& path, FileReader& reader) {
    return read_kept<ScreenshotAction>(value, path, reader);
}
std::shared_ptr<const Action> read_bugreport(const yaml::Node& value, const std::string& path, FileReader& reader) {
    return read_kept<BugreportAction>(value, path, reader);
}

std::shared_ptr<const Action> read_logcat(const yaml::Node& value, const std::string& path, FileReader& reader) {
    if (!value.is_map()) {
        return read_yes(value, path, reader)
                   ? std::make_shared<const LogcatAction>(KeepPlace(), std::nullopt, false, Template())
                   : nullptr;
    }
    const yaml::MapReader map(value, path, kLogcatKeys, reader.problems());
    const auto to = read_keep_place(map, reader);
    const auto time = map.duration("time");
    const bool whole_job = map.boolean("whole-job").value_or(false);
    if (time && whole_job) {
        map.problem("time", "does not go with 'whole-job'");
        return nullptr;
    }
    std::optional<Template> words = Template();
    if (const auto* args = map.find("args"))
        words = reader.read_template(*args, map.path_of("args"), Template::Use::shell);
    if (!to || !words || (map.find("time") && !time)) return nullptr;
    return std::make_shared<const LogcatAction>(*to, time, whole_job, *std::move(words));
}

}  // namespace drover::job
