// host-run: a program on this host, for each phone or once for all.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/assert.hpp"
#include "base/shell_quote.hpp"
#include "dispatch/execution.hpp"
#include "job/host_runner.hpp"
#include "job/steps/kinds.hpp"

namespace drover::job {
namespace {

constexpr std::size_t kHostArgumentsMax = 200;

class HostRunActivity final : public Activity {
public:
    // once: it runs for all phones.
    HostRunActivity(const ActivityContext& context, HostCommand command, bool once)
        : loop_(context.phone.loop()),
          owner_(context.owner),
          host_(*context.host),
          command_(std::move(command)),
          once_(once),
          phone_(context.target),
          step_(context.step),
          attempt_(context.attempt),
          handle_(std::make_shared<HostRunActivity*>(this)) {}
    ~HostRunActivity() override {
        *handle_ = nullptr;
        if (program_) program_->terminate();
        if (joined_) host_.once().leave(step_, phone_, Error(Code::cancelled, "the phone's job is over"));
    }

    void start() override {
        if (!once_) {
            program_ = host_.start(std::move(command_), std::make_shared<Listener>(handle_, loop_));
            return;
        }
        joined_ = true;
        auto told = [handle = handle_, &loop = loop_](const OnceResult& result) {
            loop.post([handle, result] {
                if (*handle) (*handle)->on_once(result);
            });
        };
        if (!host_.once().join(step_, attempt_, phone_, std::move(told))) return;
        begins_it_ = true;
        host_.once().start(step_, attempt_, std::move(command_), std::make_shared<Listener>(handle_, loop_));
    }
    void stop(const Error& why) override { end_by(why); }
    void expire(std::string_view limit) override { end_by(Error(Code::timeout, std::string(limit))); }

private:
    // Between the runner's thread and the phone's loop.
    class Listener final : public HostListener {
    public:
        Listener(std::shared_ptr<HostRunActivity*> handle, Loop& loop) : handle_(std::move(handle)), loop_(loop) {}
        void on_output(OutputStream stream, std::string bytes, std::function<void()> more) override {
            loop_.post([handle = handle_, stream, bytes = std::move(bytes), more = std::move(more)] {
                if (!*handle) return more();
                const auto flow = (*handle)->owner_.on_step_output(stream, bytes, more);
                if (flow == OutputSink::Flow::go_on) more();
            });
        }
        void on_end(const Result<int>& exit) override {
            loop_.post([handle = handle_, exit] {
                if (*handle) (*handle)->on_exit(exit);
            });
        }

    private:
        const std::shared_ptr<HostRunActivity*> handle_;
        Loop& loop_;
    };

    // The outcome comes when the program has ended: at most kTermGrace and kDrainMax later.
    void end_by(const Error& why) {
        why_ = why;
        if (!once_) return program_->terminate();
        if (!host_.once().leave(step_, phone_, why)) return;
        joined_ = false;
        owner_.on_outcome(given_up(Outcome{Code::ok, {}, {}, Phase::run, begins_it_}, why));
    }
    void on_exit(const Result<int>& exit) {
        auto outcome = outcome_of_exit(exit);
        if (why_) outcome = given_up(std::move(outcome), *why_);
        program_.reset();
        owner_.on_outcome(std::move(outcome));
    }
    // Whoever began it has had all of the output by now.
    void on_once(const OnceResult& result) {
        joined_ = false;
        for (const auto& piece : result.output) {
            if (!begins_it_) owner_.on_step_output(piece.stream, piece.bytes, [] {});
        }
        owner_.on_outcome(why_ ? given_up(result.outcome, *why_) : Outcome(result.outcome));
    }

    Loop& loop_;
    ActivityOwner& owner_;
    HostRunner& host_;
    HostCommand command_;
    const bool once_;
    const std::size_t phone_, step_, attempt_;
    std::shared_ptr<HostProgram> program_;
    bool joined_ = false;
    bool begins_it_ = false;
    std::optional<Error> why_;
    const std::shared_ptr<HostRunActivity*> handle_;
};

class HostRunAction final : public Action {
public:
    std::vector<Template> program;  // or
    std::optional<Template> shell;
    std::optional<Template> directory;
    bool once = false;

    Result<std::unique_ptr<Activity>> make(const ActivityContext& context) const override {
        HostCommand command;
        for (const auto& argument : words()) {
            auto text = argument.expand(context.scope);
            if (!text) return fail(Code::step_impossible, std::move(text.error()));
            command.argv.push_back(*std::move(text));
        }
        if (directory) {
            auto text = directory->expand(context.scope);
            if (!text) return fail(Code::step_impossible, std::move(text.error()));
            command.cwd = *std::move(text);
        }
        const Instance& phone = context.phone.instance();
        if (!once) {
            command.env = {{"DROVER_INSTANCE", phone.id},
                           {"DROVER_SERIAL", fact_of(phone, "serial").value_or(to_string(phone.address))},
                           {"DROVER_ADDRESS", to_string(phone.address)}};
        }
        command.env.emplace_back("DROVER_RUN_ID", std::string(context.scope.run_id));
        command.env.emplace_back("DROVER_STEP", std::string(context.step_name));
        command.env.insert(command.env.end(), context.env.begin(), context.env.end());
        DROVER_ASSERT(context.host);
        return std::make_unique<HostRunActivity>(context, std::move(command), once);
    }
    std::string describe(const Scope& scope, std::string_view) const override {
        std::vector<std::string> shown;
        for (const auto& word : words()) shown.push_back(shell_quote(word.preview(scope)));
        return fmt::format("on this host{}: {}", once ? ", once" : "", fmt::join(shown, " "));
    }
    void each_template(const std::function<void(const Template&)>& tell) const override {
        for (const auto& word : words()) tell(word);
        if (directory) tell(*directory);
    }
    bool needs_host() const override { return true; }
    bool runs_once() const override { return once; }

private:
    std::vector<Template> words() const {
        if (!shell) return program;
        return {Template::literal("sh"), Template::literal("-c"), *shell};
    }
};

bool read_program(const yaml::Node& list, const std::string& path, FileReader& reader, HostRunAction& to) {
    if (!list.is_sequence() || list.items.empty() || list.items.size() > kHostArgumentsMax) {
        reader.problems().add(
            list.mark, path,
            "a list is wanted: the program and each argument by itself; for a shell line write {shell: '...'}");
        return false;
    }
    for (std::size_t i = 0; i < list.items.size(); ++i) {
        auto word = reader.read_template(list.items[i], fmt::format("{}[{}]", path, i), Template::Use::plain);
        if (!word) return false;
        to.program.push_back(*std::move(word));
    }
    if (!list.items.front().text.empty()) return true;
    reader.problems().add(list.items.front().mark, path + "[0]", "the program is empty");
    return false;
}

}  // namespace

std::shared_ptr<const Action> read_host_run(const yaml::Node& value, const std::string& path, FileReader& reader) {
    auto action = std::make_shared<HostRunAction>();
    if (!value.is_map()) return read_program(value, path, reader, *action) ? action : nullptr;
    const yaml::MapReader map(value, path, kHostRunKeys, reader.problems());
    const auto* program = map.find("program");
    const auto* shell = map.find("shell");
    if ((program == nullptr) == (shell == nullptr)) {
        reader.problems().add(map.mark(), path, "one of 'program' and 'shell' is wanted");
        return nullptr;
    }
    action->once = map.boolean("once").value_or(false);
    if (const auto* directory = map.find("directory"))
        action->directory = reader.read_template(*directory, path + ".directory", Template::Use::plain);
    if (program && !read_program(*program, path + ".program", reader, *action)) return nullptr;
    if (shell) {
        action->shell = reader.read_template(*shell, path + ".shell", Template::Use::shell, kRunBytesMax);
        if (!action->shell) return nullptr;
    }
    return action;
}

}  // namespace drover::job
