// run: a shell line, or several, on the phone.
#include "job/steps/kinds.hpp"
#include "job/steps/shell_activity.hpp"

namespace drover::job {
namespace {

class RunAction final : public Action {
public:
    explicit RunAction(Template command) : command_(std::move(command)) {}

    Result<std::unique_ptr<Activity>> make(const ActivityContext& context) const override {
        auto command = command_.expand(context.scope);
        if (!command) return fail(Code::step_impossible, std::move(command.error()));
        return std::make_unique<ShellActivity>(context, shell_exports(context.env) + *command);
    }
    std::string describe(const Scope& scope, std::string_view exports) const override {
        return std::string(exports) + command_.preview(scope);
    }
    void each_template(const std::function<void(const Template&)>& tell) const override { tell(command_); }

private:
    const Template command_;
};

}  // namespace

std::shared_ptr<const Action> read_run(const yaml::Node& value, const std::string& path, FileReader& reader) {
    if (value.is_scalar() && value.text.find_first_not_of(" \t\n") == std::string::npos) {
        reader.problems().add(value.mark, path, "the command is empty");
        return nullptr;
    }
    auto command = reader.read_template(value, path, Template::Use::shell, kRunBytesMax);
    return command ? std::make_shared<const RunAction>(*std::move(command)) : nullptr;
}

}  // namespace drover::job
