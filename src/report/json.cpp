#include "report/json.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "base/json_view.hpp"
#include "report/failure.hpp"

namespace drover::report {
namespace {

namespace json = boost::json;

json::value exit_code_value(const std::optional<int>& exit_code) {
    return exit_code ? json::value(*exit_code) : json::value(nullptr);
}

json::array tests_json(const StepResult& step) {
    json::array tests;
    for (const auto& test : step.tests) {
        tests.push_back(json::object{{"suite", json_view(test.suite)},
                                     {"name", json_view(test.name)},
                                     {"verdict", json_view(to_string(test.verdict))},
                                     {"message", json_view(test.message)}});
    }
    return tests;
}

json::array steps_json(const Row& row) {
    json::array steps;
    for (const auto& step : row.steps) {
        json::object o;
        o["name"] = json_view(step.name);
        o["status"] = json_view(step_status(step));
        o["error_code"] = json_view(info(step.code).name);
        o["exit_code"] = exit_code_value(step.exit_code);
        o["output_bytes"] = step.output_bytes;
        o["ms"] = step.ms;
        o["kind"] = json_view(step.kind);
        o["combination"] = json_view(step.combination);
        o["error_msg"] = json_view(step.error_msg);
        o["attempts"] = step.attempts;
        o["begin_ms"] = step.begin_ms;
        o["restored"] = step.restored;
        if (!step.tests.empty()) o["tests"] = tests_json(step);
        if (!step.files.empty()) o["files"] = json::array(step.files.begin(), step.files.end());
        if (!step.files_dir.empty()) o["files_dir"] = json_view(step.files_dir);
        steps.push_back(std::move(o));
    }
    return steps;
}

json::object summary_json(const Summary& summary) {
    json::object by_code;
    for (const auto& code : all_codes()) {
        if (code.code == Code::ok || summary.tally.count(code.code) == 0) continue;
        by_code[json_view(code.name)] = summary.tally.count(code.code);
    }
    json::object o;
    o["targets"] = summary.tally.rows();
    o["ok"] = summary.tally.ok();
    o["failed"] = summary.tally.failed();
    o["by_code"] = std::move(by_code);
    o["exit_code"] = summary.exit_code;
    o["ms"] = summary.ms;
    return o;
}

}  // namespace

json::object row_object(const Row& row, Steps steps) {
    json::object o;
    o["instance_id"] = json_view(row.instance_id);
    o["status"] = row.status();
    o["error_code"] = json_view(info(row.code).name);
    o["error_msg"] = json_view(row.error_msg);
    o["class"] = json_view(to_string(info(row.code).cls));
    o["phase"] = json_view(to_string(row.phase));
    o["execute_msg"] = json_view(row.execute_msg);
    o["exit_code"] = exit_code_value(row.exit_code);
    o["output_bytes"] = row.output_bytes;
    o["truncated"] = row.truncated;
    o["attempts"] = row.attempts;
    o["ms"] = row.ms;
    if (steps == Steps::with) o["steps"] = steps_json(row);
    return o;
}

std::string row_json(const Row& row, Steps steps) { return json::serialize(row_object(row, steps)); }

std::string document_json(const Summary& summary, std::span<const Row> rows, Steps steps) {
    auto text = R"({"schema":1,"summary":)" + json::serialize(summary_json(summary)) + R"(,"rows":[)";
    bool first = true;
    for (const auto& row : rows) {
        text += first ? "\n" : ",\n";
        text += row_json(row, steps);
        first = false;
    }
    return text + "]}\n";
}

}  // namespace drover::report
