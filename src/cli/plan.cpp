#include "job/plan.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <map>

#include "base/counted.hpp"
#include "base/duration.hpp"
#include "base/id_ranges.hpp"
#include "base/json_view.hpp"
#include "base/shell_quote.hpp"
#include "cli/fleet_choice.hpp"
#include "cli/herd.hpp"
#include "cli/json_choice.hpp"
#include "cli/server_choice.hpp"
#include "cli/terminal.hpp"
#include "drover/job.hpp"
#include "job/rollout.hpp"

namespace drover::cli {
namespace {

namespace json = boost::json;

struct PlanArguments {
    std::string file;
    std::optional<std::string> on;
    bool allow_empty = false;
};

struct Shown {
    const job::PlannedStep* planned;
    std::string combination, command;
};

std::vector<Shown> shown_steps(const job::Model& model, const std::vector<job::PlannedStep>& plan,
                               const Instance& phone) {
    const std::vector<std::string> secrets(model.secrets.size(), "***");
    std::vector<Shown> out;
    for (const auto& planned : plan) {
        const job::Scope scope{
            phone, {}, {}, job::combination_values(model, planned.combination), secrets, "RUN", job::Standing::good};
        out.push_back(
            {&planned, job::combination_text(model, planned.combination), job::describe(*planned.step, scope)});
    }
    return out;
}

std::string indented(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const auto end = text.find('\n');
        out += fmt::format("       {}\n", text.substr(0, end));
        if (end == std::string_view::npos) break;
        text.remove_prefix(end + 1);
    }
    return out;
}

std::string steps_text(const std::vector<Shown>& steps) {
    std::string out, combination;
    std::size_t number = 0;
    for (const auto& shown : steps) {
        const auto& step = *shown.planned->step;
        if (shown.combination != combination) out += fmt::format("  with {}\n", shown.combination);
        combination = shown.combination;
        out += fmt::format("  {:>2}. {}{}", ++number, shown.planned->finally ? "finally: " : "", step.name);
        if (!step.if_text.empty()) out += fmt::format("  if {}", step.if_text);
        if (step.timeout) out += fmt::format("  within {}", to_string(*step.timeout));
        if (step.retry.max > 0) out += fmt::format("  up to {}", counted(step.retry.max, "more time"));
        out += "\n" + indented(shown.command);
    }
    return out;
}

json::array steps_json(const std::vector<Shown>& steps) {
    json::array out;
    for (const auto& shown : steps) {
        const auto& step = *shown.planned->step;
        json::object o{
            {"name", json_view(step.name)}, {"kind", json_view(step.kind)}, {"finally", shown.planned->finally}};
        if (!shown.combination.empty()) o["combination"] = json_view(shown.combination);
        if (!step.if_text.empty()) o["if"] = json_view(step.if_text);
        if (step.timeout) o["timeout_ms"] = step.timeout->count();
        o["command"] = json_view(shown.command);
        out.push_back(std::move(o));
    }
    return out;
}

std::string notify_command(const job::Notification& what) {
    std::vector<std::string> words;
    for (const auto& word : what.argv) words.push_back(shell_quote(word));
    return fmt::format("{}", fmt::join(words, " "));
}

std::string notify_text(const std::vector<job::Notification>& all) {
    using When = job::Notification::When;
    std::string out;
    for (const auto& what : all) {
        out += fmt::format("in the end{}, on this host within {}:\n{}",
                           what.when == When::always    ? ""
                           : what.when == When::failure ? ", on failure"
                                                        : ", on success",
                           to_string(what.timeout), indented(notify_command(what)));
    }
    return out;
}

json::array notify_json(const std::vector<job::Notification>& all) {
    using When = job::Notification::When;
    json::array out;
    for (const auto& what : all) {
        const auto* when = what.when == When::always ? "always" : what.when == When::failure ? "failure" : "success";
        out.push_back(json::object{
            {"when", when}, {"timeout_ms", what.timeout.count()}, {"command", json_view(notify_command(what))}});
    }
    return out;
}

// --on says which phones instead of the job.
std::optional<job::Choice> choice_of(const PlanArguments& o, const job::Model& model) {
    return o.on ? std::nullopt : model.choice;
}

int plan(const Context& context, const PlanArguments& o) {
    const auto job = Job::load(o.file);
    if (!job) {
        for (const auto& error : job.error()) say(error.message);
        return info(Code::bad_job).exit_code;
    }
    const auto& model = job->model();
    // Where `run` would go to a server, other phones than the server's would be no plan of it.
    const auto server = choose_server(context);
    if (!server) return report_error(server.error());
    if (*server) return report_error(direct_only("plan"));
    auto fleet = open_fleet(context);
    if (!fleet) return report_error(fleet.error());
    const auto selector = o.on ? *o.on : job->on().value_or("all");
    const auto targets =
        checked_targets((*fleet)->select(selector), o.allow_empty ? UnknownIds::told : UnknownIds::refused);
    if (!targets) return report_error(targets.error());
    if (targets->empty() && !o.allow_empty)
        return report_error(Error(Code::nothing_matched, "no phone matches '" + selector + "'"));
    std::vector<const Instance*> phones;
    for (const auto target : *targets) phones.push_back(&(*fleet)->instances()[target]);
    if (const auto facts = job::check_facts(model, phones); !facts) return report_error(facts.error());

    const auto steps = job::planned_steps(model);
    const auto& rollout = model.strategy.rollout;
    const auto batches = job::batch_sizes(phones.size(), rollout ? rollout->serial : std::vector<job::Share>());
    ResultStream results;
    if (wants_json(context)) {
        json::array list;
        for (const auto* phone : phones)
            list.push_back(json::object{{"instance_id", json_view(phone->id)},
                                        {"steps", steps_json(shown_steps(model, steps, *phone))}});
        json::object out{
            {"schema", 1}, {"job", json_view(model.name)}, {"batches", json::array(batches.begin(), batches.end())}};
        if (const auto choice = choice_of(o, model); choice && choice->count > 0) out["count"] = choice->count;
        out["phones"] = std::move(list);
        if (!model.notify.empty()) out["notify"] = notify_json(model.notify);
        results.write(json::serialize(out) + "\n");
        return results.exit_code();
    }
    results.write(
        fmt::format("{}: {}, {}\n", model.name, counted(phones.size(), "phone"), counted(steps.size(), "step")));
    if (const auto choice = choice_of(o, model); choice && choice->count > 0)
        results.write(fmt::format("on {} of them, whichever are idle\n", choice->count));
    if (rollout) results.write(fmt::format("in batches of {}\n", fmt::join(batches, ", ")));
    // Phones that are told the same stand together, in the order of the first of each group.
    std::map<std::string, std::size_t> at;
    std::vector<std::pair<std::string, std::vector<std::string>>> groups;
    for (const auto* phone : phones) {
        auto text = steps_text(shown_steps(model, steps, *phone));
        const auto [it, fresh] = at.emplace(text, groups.size());
        if (fresh) groups.emplace_back(std::move(text), std::vector<std::string>());
        groups[it->second].second.push_back(phone->id);
    }
    for (const auto& [text, ids] : groups)
        results.write(fmt::format("{} ({})\n{}", compress_ids(ids), ids.size(), text));
    results.write(notify_text(model.notify));
    return results.exit_code();
}

}  // namespace

void add_plan(Program& program, Context& context) {
    auto o = std::make_shared<PlanArguments>();
    auto& command = program.add("plan", "Shows what a job would do on which phones; no command is sent");
    command.takes_config();
    command.positional("JOB.yaml", o->file, "the job file", Need::required);
    command.text("--on", "SELECTOR", o->on, "which phones, instead of the job's own");
    command.flag("--allow-empty", o->allow_empty, "exit 0 when no phone matches");
    command.action([o, &context] { return plan(context, *o); });
}

}  // namespace drover::cli
