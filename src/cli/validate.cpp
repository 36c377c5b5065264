#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <charconv>

#include "base/json_view.hpp"
#include "cli/command.hpp"
#include "cli/json_choice.hpp"
#include "cli/terminal.hpp"
#include "drover/job.hpp"

namespace drover::cli {
namespace {

namespace json = boost::json;

struct ValidateArguments {
    std::vector<std::string> files;
    bool sarif = false;
};

// "FILE:LINE:COLUMN: text" taken apart. Without a place, line is 0.
struct Problem {
    std::string file, text;
    std::uint32_t line = 0, column = 0;
};

// The number and ':' at the start of `text`, taken away. A name may hold colons too: only digits count.
bool take_number(std::string_view& text, std::uint32_t& number) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end == text.data() + text.size() || *end != ':') return false;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()) + 1);
    return true;
}

Problem problem_of(const std::string& message) {
    for (auto colon = message.find(':'); colon != std::string::npos; colon = message.find(':', colon + 1)) {
        Problem out{message.substr(0, colon), {}};
        std::string_view rest = std::string_view(message).substr(colon + 1);
        if (!take_number(rest, out.line) || !take_number(rest, out.column) || !rest.starts_with(' ')) continue;
        out.text = rest.substr(1);
        return out;
    }
    const auto end = message.find(": ");
    if (end == std::string::npos) return {{}, message};
    return {message.substr(0, end), message.substr(end + 2)};
}

json::object problem_json(const Problem& problem) {
    json::object out{{"file", problem.file}, {"message", problem.text}};
    if (problem.line > 0) {
        out["line"] = problem.line;
        out["column"] = problem.column;
    }
    return out;
}

json::object sarif_of(const Problem& problem) {
    json::object place{{"artifactLocation", json::object{{"uri", problem.file}}}};
    if (problem.line > 0) place["region"] = json::object{{"startLine", problem.line}, {"startColumn", problem.column}};
    json::array locations;
    locations.push_back(json::object{{"physicalLocation", std::move(place)}});
    const auto code = info(Code::bad_job).name;
    return json::object{{"ruleId", json_view(code)},
                        {"level", "error"},
                        {"message", json::object{{"text", problem.text}}},
                        {"locations", std::move(locations)}};
}

std::string sarif_log(json::array results) {
    const auto& code = info(Code::bad_job);
    json::array rules;
    rules.push_back(
        json::object{{"id", json_view(code.name)}, {"shortDescription", json::object{{"text", json_view(code.text)}}}});
    json::object driver{{"name", "drover"}, {"version", DROVER_VERSION}, {"rules", std::move(rules)}};
    json::array runs;
    runs.push_back(
        json::object{{"tool", json::object{{"driver", std::move(driver)}}}, {"results", std::move(results)}});
    return json::serialize(json::object{{"$schema", "https://json.schemastore.org/sarif-2.1.0.json"},
                                        {"version", "2.1.0"},
                                        {"runs", std::move(runs)}}) +
           "\n";
}

int validate(const Context& context, const ValidateArguments& o) {
    const bool as_json = wants_json(context) && !o.sarif;
    ResultStream results;
    json::array told, sarif;
    bool all_ok = true;
    for (const auto& file : o.files) {
        const auto job = Job::load(file);
        json::array errors, problems;
        if (!job) {
            all_ok = false;
            for (const auto& error : job.error()) {
                const auto problem = problem_of(error.message);
                if (!as_json && !o.sarif) say(error.message);
                errors.emplace_back(error.message);
                problems.push_back(problem_json(problem));
                sarif.push_back(sarif_of(problem));
            }
        } else if (!as_json && !o.sarif) {
            results.write(file + ": ok\n");
        }
        told.push_back(json::object{
            {"file", file}, {"ok", job.has_value()}, {"errors", std::move(errors)}, {"problems", std::move(problems)}});
    }
    if (as_json) results.write(json::serialize(json::object{{"schema", 1}, {"files", std::move(told)}}) + "\n");
    if (o.sarif) results.write(sarif_log(std::move(sarif)));
    const int code = results.exit_code();
    return all_ok ? code : info(Code::bad_job).exit_code;
}

}  // namespace

void add_validate(Program& program, Context& context) {
    auto o = std::make_shared<ValidateArguments>();
    auto& command = program.add("validate", "Checks job files; nothing is sent to any phone");
    command.positionals("JOB.yaml", o->files, "the job files");
    command.flag("--sarif", o->sarif, "the mistakes as SARIF 2.1.0, for code scanning");
    command.action([o, &context] { return validate(context, *o); });
}

}  // namespace drover::cli
