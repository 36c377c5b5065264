// instrument: `am instrument`, with its tests taken out of what it prints.
#include <fmt/format.h>

#include "base/shell_quote.hpp"
#include "dispatch/execution.hpp"
#include "job/steps/instrument_parser.hpp"
#include "job/steps/kinds.hpp"
#include "job/steps/shell_activity.hpp"

namespace drover::job {
namespace {

constexpr Millis kInstrumentTimeout{600'000};
constexpr std::size_t kInstrumentArgumentsMax = 100;

// Listens to the shell on its way to the owner.
class InstrumentActivity final : public Activity, private ActivityOwner {
public:
    InstrumentActivity(const ActivityContext& context, std::string command)
        : owner_(context.owner),
          parser_(Secrets({context.scope.secrets.begin(), context.scope.secrets.end()})),
          shell_(with_owner(context, *this), std::move(command)) {}

    void start() override { shell_.start(); }
    void stop(const Error& why) override { shell_.stop(why); }
    void expire(std::string_view limit) override { shell_.expire(limit); }

private:
    static ActivityContext with_owner(const ActivityContext& context, ActivityOwner& owner) {
        return {context.phone,  owner,        context.scope,     context.limits, context.env,
                context.target, context.step, context.step_name, context.host,   context.files};
    }
    OutputSink::Flow on_step_output(OutputStream stream, std::string_view bytes,
                                    std::function<void()> resume) override {
        if (stream == OutputStream::out) parser_.feed(bytes);
        return owner_.on_step_output(stream, bytes, std::move(resume));
    }
    void on_outcome(Outcome&& outcome) override {
        parser_.finish();
        if (outcome.code == Code::ok && !parser_.problem().empty()) {
            outcome.code = Code::command_failed;
            outcome.message = dispatch::error_text(Code::command_failed, parser_.problem());
        }
        outcome.tests = parser_.tests();
        owner_.on_outcome(std::move(outcome));
    }

    ActivityOwner& owner_;
    InstrumentParser parser_;
    ShellActivity shell_;
};

class InstrumentAction final : public Action {
public:
    Template runner;
    std::vector<std::pair<std::string, Template>> arguments;

    Result<std::unique_ptr<Activity>> make(const ActivityContext& context) const override {
        auto command = line().expand(context.scope);
        if (!command) return fail(Code::step_impossible, std::move(command.error()));
        return std::make_unique<InstrumentActivity>(context, shell_exports(context.env) + *command);
    }
    std::string describe(const Scope& scope, std::string_view exports) const override {
        return std::string(exports) + line().preview(scope);
    }
    void each_template(const std::function<void(const Template&)>& tell) const override {
        tell(runner);
        for (const auto& [name, value] : arguments) tell(value);
    }
    std::optional<Millis> usual_timeout() const override { return kInstrumentTimeout; }

private:
    Template line() const {
        std::vector<Template> parts{Template::literal("am instrument -w -r")};
        for (const auto& [name, value] : arguments) {
            parts.push_back(Template::literal(fmt::format(" -e {} ", shell_quote(name))));
            parts.push_back(value.quoted());
        }
        parts.push_back(Template::literal(" "));
        parts.push_back(runner.quoted());
        return Template::joined(std::move(parts));
    }
};

}  // namespace

std::shared_ptr<const Action> read_instrument(const yaml::Node& value, const std::string& path, FileReader& reader) {
    const yaml::MapReader map(value, path, kInstrumentKeys, reader.problems());
    auto action = std::make_shared<InstrumentAction>();
    const auto* runner = map.find("runner");
    if (!runner) return nullptr;
    auto text = reader.read_template(*runner, path + ".runner", Template::Use::plain);
    if (!text) return nullptr;
    action->runner = *std::move(text);
    const auto entries = map.string_map("args").value_or(std::vector<yaml::StringEntry>());
    if (entries.size() > kInstrumentArgumentsMax)
        map.problem("args", fmt::format("more than {} arguments", kInstrumentArgumentsMax));
    for (const auto& entry : entries) {
        auto argument = reader.read_template(entry.value, entry.mark, fmt::format("{}.args.{}", path, entry.key),
                                             Template::Use::plain);
        if (argument) action->arguments.emplace_back(entry.key, *std::move(argument));
    }
    return action;
}

}  // namespace drover::job
