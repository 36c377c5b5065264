#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/utf8.hpp"
#include "cli/session.hpp"
#include "dispatch/fleet_impl.hpp"
#include "dispatch/run_operations.hpp"
#include "transfer/host_script.hpp"

namespace drover::cli {
namespace {

struct ExecWords {
    CallOptions call;
    std::vector<std::string> words;
    std::optional<std::filesystem::path> script;
    bool shared = false;
};

// A script of this host instead of a command: pushed, run, removed.
int exec_script(const Context& context, const ExecWords& o, const std::string& words) {
    auto plan = transfer::plan_push(transfer::local_files(), {o.script->string()});
    if (!plan) return report_error(Error(Code::usage, "--script: " + plan.error().message));
    if (plan->sources[0].directory) return report_error(Error(Code::usage, "--script: a directory is no script"));
    const auto script = std::make_shared<const transfer::PushPlan>(std::move(*plan));
    Task task;
    task.name = o.script->string();
    task.selector = o.call.on.value_or("all");
    task.direct_only = "--script";
    task.start = [&](Herd& herd, const std::vector<std::size_t>& targets, const Sinks& sinks) {
        Limits limits = o.call.all_limits();
        if (o.call.timeout) limits.total = *o.call.timeout;
        const bool many = dispatch::exceed_descriptors(*herd.fleet(), targets);
        const auto removals = std::make_shared<transfer::Removals>(many ? transfer::Removals::Rows::wait
                                                                        : transfer::Removals::Rows::go_first);
        auto make = transfer::make_host_script(herd.fleet()->impl().ground->disk(), script, words, limits, sinks.output,
                                               removals);
        return transfer::with_removals(dispatch::run_operations(*herd.fleet(), targets, std::move(make),
                                                                {o.call.max_parallel, sinks.deadline}, sinks.rows),
                                       removals);
    };
    return run_task(context, o.call, task);
}

int exec(const Context& context, const ExecWords& o) {
    // As adb does: the phone's shell sees what was typed, and quoting is the user's.
    const auto text = fmt::format("{}", fmt::join(o.words, " "));
    if (o.script) return exec_script(context, o, text);
    if (text.find_first_not_of(" \t\n") == std::string::npos) {
        return report_error(
            Error(Code::usage, "exec: no command; put it after --, as in: drover exec -- getprop ro.serialno"));
    }
    Task task;
    task.name = text;
    // JSON has no other characters.
    if (!is_valid_utf8(text)) task.direct_only = "a command that is not UTF-8";
    task.selector = o.call.on.value_or("all");
    task.start = [&](Herd& herd, const std::vector<std::size_t>& targets, const Sinks& sinks) {
        ExecOptions options;
        options.command = Command{text, o.call.all_limits()};
        if (o.call.timeout) options.command.limits.total = *o.call.timeout;
        options.max_parallel = o.call.max_parallel;
        options.deadline = sinks.deadline;
        options.output = sinks.output;
        return herd.exec(targets, std::move(options), o.shared ? Herd::Held::shared : Herd::Held::refused, sinks.rows);
    };
    return run_task(context, o.call, task);
}

}  // namespace

void add_exec(Program& program, Context& context) {
    auto o = std::make_shared<ExecWords>();
    auto& command = program.add("exec", "Runs a shell command on phones, all at once");
    command.takes_config();
    command.takes_server();
    add_call_options(command, o->call);
    command.path("--script", "FILE", o->script, "run this script of this host; what follows -- are its arguments");
    command.flag("--shared", o->shared, "also on phones that a run through a drover server holds for itself");
    command.words("COMMAND...", o->words, "the command, joined by single spaces and run by the phone's shell");
    command.action([o, &context] { return exec(context, *o); });
}

}  // namespace drover::cli
