#include "job/plan.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <set>
#include <system_error>

#include "base/counted.hpp"
#include "base/id_ranges.hpp"

namespace drover::job {

std::vector<PlannedStep> planned_steps(const Model& job) {
    std::vector<PlannedStep> out;
    const auto combinations = std::max<std::size_t>(job.strategy.matrix.size(), 1);
    for (std::size_t i = 0; i < combinations; ++i) {
        for (const auto& step : job.steps) out.push_back({&step, i, false});
        for (const auto& step : job.finally) out.push_back({&step, i, true});
    }
    return out;
}

std::string combination_text(const Model& job, std::size_t combination) {
    std::string out;
    const auto values = combination_values(job, combination);
    for (std::size_t i = 0; i < values.size(); ++i)
        out += fmt::format("{}{}={}", i == 0 ? "" : ", ", job.strategy.matrix_keys[i], values[i]);
    return out;
}

std::span<const std::string> combination_values(const Model& job, std::size_t combination) {
    if (combination >= job.strategy.matrix.size()) return {};
    return job.strategy.matrix[combination];
}

std::string describe(const Step& step, const Scope& scope) {
    std::vector<std::pair<std::string, std::string>> env;
    for (const EnvVar& variable : step.env) env.emplace_back(variable.name, variable.value.preview(scope));
    return step.action->describe(scope, shell_exports(env));
}

Result<void> check_places(const Model& job, bool artifacts) {
    if (artifacts) return {};
    for (const auto* list : {&job.steps, &job.finally}) {
        for (const Step& step : *list) {
            if (!step.action->needs_artifacts()) continue;
            return fail(
                Code::bad_job,
                yaml::located(step.file, step.mark,
                              fmt::format("step '{}' keeps a file and does not say where: give `to: DIRECTORY`, "
                                          "or the job `artifacts: DIRECTORY`, or run it with --artifacts DIR",
                                          step.name)));
        }
    }
    return {};
}

Result<void> check_sources(const Model& job) {
    for (const Step& step : job.steps) {
        // Programs of this host, and what other phones send, may make files.
        if (step.action->needs_host() || step.kind == "pull") return {};
        if (!step.conditions.empty()) continue;
        for (const auto& source : step.action->sources()) {
            std::error_code error;
            if (std::filesystem::exists(source, error)) continue;
            return fail(
                Code::bad_job,
                yaml::located(
                    step.file, step.mark,
                    fmt::format(
                        "step '{}' needs {}, which is not there: {}", step.name, source,
                        (error ? error : std::make_error_code(std::errc::no_such_file_or_directory)).message())));
        }
    }
    return {};
}

Result<void> check_facts(const Model& job, std::span<const Instance* const> phones) {
    if (planned_steps(job).size() > kPlannedStepsMax) {
        return fail(Code::bad_job, fmt::format("{}: more than {} steps, with all combinations of the matrix", job.file,
                                               kPlannedStepsMax));
    }
    std::set<std::string> facts;
    const std::function<void(const Name&)> look = [&](const Name& name) {
        if (name.kind == Name::Kind::fact) facts.insert(name.text);
        if (name.value) name.value->each_needed_name(look);
    };
    for (const auto* list : {&job.steps, &job.finally}) {
        for (const Step& step : *list) {
            if (!step.conditions.empty()) continue;  // it may be about this very fact
            for (const EnvVar& variable : step.env) variable.value.each_needed_name(look);
            step.action->each_template([&](const Template& text) { text.each_needed_name(look); });
        }
    }
    for (const std::string& fact : facts) {
        std::vector<std::string> without;
        for (const Instance* phone : phones) {
            if (!fact_of(*phone, fact)) without.push_back(phone->id);
        }
        if (without.empty()) continue;
        return fail(Code::bad_job, fmt::format("{}: no value for {{{{ {} }}}} on {} of {}: {}", job.file, fact,
                                               without.size(), counted(phones.size(), "phone"), compress_ids(without)));
    }
    return {};
}

}  // namespace drover::job
