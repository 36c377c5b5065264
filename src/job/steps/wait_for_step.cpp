// wait-for: asks the phone again and again until a property has a value, an app is there, Android has booted, the load is low,
// or a command succeeds.
#include <fmt/format.h>

#include "job/steps/kinds.hpp"
#include "job/steps/shell_activity.hpp"

namespace drover::job {
namespace {

constexpr Millis kEvery{1'000};
constexpr Millis kWaitTimeout{60'000};
constexpr double kLoadMax = 10'000;

// What is asked: a shell line, and the same in words. Values are quoted by the shell line already.
struct Question {
    Template shell;
    Template words;
};

class WaitForAction final : public Action {
public:
    WaitForAction(Question question, Millis every) : question_(std::move(question)), every_(every) {}

    Result<std::unique_ptr<Activity>> make(const ActivityContext& context) const override {
        auto command = question_.shell.expand(context.scope);
        if (!command) return fail(Code::step_impossible, std::move(command.error()));
        auto words = question_.words.expand(context.scope);
        if (!words) return fail(Code::step_impossible, std::move(words.error()));
        return std::make_unique<PollActivity>(context, shell_exports(context.env) + *command, *std::move(words),
                                              every_);
    }
    std::string describe(const Scope& scope, std::string_view exports) const override {
        return fmt::format("every {} until it exits 0: {}{}", drover::to_string(every_), exports,
                           question_.shell.preview(scope));
    }
    void each_template(const std::function<void(const Template&)>& tell) const override {
        tell(question_.shell);
        tell(question_.words);
    }
    std::optional<Millis> usual_timeout() const override { return kWaitTimeout; }

private:
    const Question question_;
    const Millis every_;
};

class WaitForReader {
public:
    WaitForReader(const yaml::MapReader& map, std::string path, FileReader& reader)
        : map_(map), path_(std::move(path)), reader_(reader) {}

    std::optional<Question> read() {
        static constexpr std::string_view kWhat[] = {"property", "package", "boot", "idle", "command"};
        std::vector<std::string_view> there;
        for (const auto key : kWhat) {
            if (map_.find(key)) there.push_back(key);
        }
        if (there.size() != 1) {
            reader_.problems().add(
                map_.mark(), path_,
                there.empty()
                    ? "what to wait for is missing: one of property, package, boot, idle, command"
                    : fmt::format("'{}' and '{}' are two things to wait for: make two steps", there[0], there[1]));
            return std::nullopt;
        }
        const auto what = there[0];
        if ((what == "property") != (map_.find("value") != nullptr)) {
            reader_.problems().add(map_.mark(), path_, "'property' and 'value' go together");
            return std::nullopt;
        }
        if (what == "boot") return boot();
        if (what == "idle") return idle();
        if (what == "command") return command();
        return text(what);
    }

private:
    static Question made(std::string shell, std::string words) {
        return {Template::literal(std::move(shell)), Template::literal(std::move(words))};
    }
    std::optional<Question> boot() {
        const auto wanted = map_.boolean("boot");
        if (wanted && !*wanted) map_.problem("boot", "only true has a meaning here");
        if (!wanted || !*wanted) return std::nullopt;
        return made("test \"$(getprop sys.boot_completed)\" = 1", "Android has not booted");
    }
    std::optional<Question> idle() {
        const auto load = map_.number("idle", 0.01, kLoadMax);
        if (!load) return std::nullopt;
        const auto hundredths = static_cast<long>(*load * 100 + 0.5);
        // "0.08": two digits after the point; the 1 keeps them from being read as octal.
        return made(fmt::format("IFS=' .' read -r whole part rest </proc/loadavg && "
                                "test $((whole * 100 + 1$part - 100)) -le {}",
                                hundredths),
                    fmt::format("the load is above {}", *load));
    }
    std::optional<Question> command() {
        const auto* node = map_.find("command");
        auto shell = reader_.read_template(*node, path_ + ".command", Template::Use::shell, kRunBytesMax);
        if (!shell) return std::nullopt;
        return Question{*std::move(shell), Template::literal("the command does not exit with 0")};
    }
    // property and package: their values, quoted, inside a line of our own.
    std::optional<Question> text(std::string_view what) {
        const auto part = [&](std::string_view key) -> std::optional<std::pair<Template, Template>> {
            const auto path = fmt::format("{}.{}", path_, key);
            auto plain = reader_.read_template(*map_.find(key), path, Template::Use::plain);
            if (!plain) return std::nullopt;
            return std::pair{*plain, plain->quoted()};
        };
        const auto name = part(what);
        if (!name) return std::nullopt;
        if (what == "package") {
            return Question{
                Template::joined({Template::literal("pm path "), name->second, Template::literal(" >/dev/null")}),
                Template::joined({Template::literal("no package "), name->first})};
        }
        const auto value = part("value");
        if (!value) return std::nullopt;
        return Question{Template::joined({Template::literal("test \"$(getprop "), name->second,
                                          Template::literal(")\" = "), value->second}),
                        Template::joined({name->first, Template::literal(" is not "), value->first})};
    }

    const yaml::MapReader& map_;
    const std::string path_;
    FileReader& reader_;
};

}  // namespace

std::shared_ptr<const Action> read_wait_for(const yaml::Node& value, const std::string& path, FileReader& reader) {
    const yaml::MapReader map(value, path, kWaitForKeys, reader.problems());
    if (!map.is_map()) return nullptr;
    const auto every = map.duration("every").value_or(kEvery);
    auto question = WaitForReader(map, path, reader).read();
    return question ? std::make_shared<const WaitForAction>(*std::move(question), every) : nullptr;
}

}  // namespace drover::job
