#include "job/journal_lines.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_to.hpp>

#include "base/json_view.hpp"

namespace drover::job {
namespace {

namespace json = boost::json;

constexpr int kFormat = 1;

std::string journal_line(const json::object& object) { return json::serialize(object) + "\n"; }
json::value number(const std::optional<int>& value) { return value ? json::value(*value) : json::value(nullptr); }

json::value code_value(Code code) { return json::value(json_view(info(code).name)); }

json::object json_of(const StepResult& step) {
    json::object out{{"name", json_view(step.name)},
                     {"kind", json_view(step.kind)},
                     {"of", json_view(step.combination)},
                     {"code", code_value(step.code)},
                     {"error", json_view(step.error_msg)},
                     {"skipped", step.skipped},
                     {"continued", step.continued},
                     {"exit", number(step.exit_code)},
                     {"attempts", step.attempts},
                     {"bytes", step.output_bytes},
                     {"from", step.output_begin},
                     {"to", step.output_end},
                     {"begin", step.begin_ms},
                     {"ms", step.ms}};
    json::array tests;
    for (const auto& test : step.tests) {
        tests.push_back(json::array{json::value(json_view(test.suite)), json::value(json_view(test.name)),
                                    json::value(static_cast<int>(test.verdict)), json::value(json_view(test.message))});
    }
    if (!tests.empty()) out["tests"] = std::move(tests);
    if (!step.files.empty()) out["files"] = json::array(step.files.begin(), step.files.end());
    if (!step.files_dir.empty()) out["in"] = json_view(step.files_dir);
    return out;
}

void add_text(json::object& to, const Row& row) {
    json::array runs;
    for (const auto& run : row.runs)
        runs.push_back(json::array{json::value(static_cast<int>(run.stream)), json::value(run.end)});
    to["text"] = json_view(row.execute_msg);
    to["runs"] = std::move(runs);
    to["truncated"] = row.truncated;
}

// A mistake of the job or of the call: nothing was sent, so whoever corrects it may take the run up.
bool never_tried(Code code) { return info(code).exit_code == info(Code::usage).exit_code; }

// Readers throw; take_line() makes that a line that is none.
std::string text(const json::object& from, const char* key) { return json::value_to<std::string>(from.at(key)); }
template <class T>
T whole(const json::object& from, const char* key) {
    return from.at(key).to_number<T>();
}

std::optional<int> exit_code(const json::object& from) {
    const auto& value = from.at("exit");
    return value.is_null() ? std::nullopt : std::optional(value.to_number<int>());
}

Code code(const json::object& from) {
    const auto name = text(from, "code");
    const auto all = all_codes();
    const auto found = std::find_if(all.begin(), all.end(), [&](const CodeInfo& c) { return c.name == name; });
    return found == all.end() ? Code::internal : found->code;
}

// artifacts: where its files are if the step itself does not say.
StepResult step_of(const json::object& from, const std::string& artifacts) {
    StepResult out;
    out.name = text(from, "name");
    out.kind = text(from, "kind");
    out.combination = text(from, "of");
    out.code = code(from);
    out.error_msg = text(from, "error");
    out.skipped = from.at("skipped").as_bool();
    out.continued = from.at("continued").as_bool();
    out.exit_code = exit_code(from);
    out.attempts = whole<std::uint32_t>(from, "attempts");
    out.output_bytes = whole<std::uint64_t>(from, "bytes");
    out.output_begin = whole<std::uint32_t>(from, "from");
    out.output_end = whole<std::uint32_t>(from, "to");
    out.begin_ms = whole<std::uint64_t>(from, "begin");
    out.ms = whole<std::uint64_t>(from, "ms");
    out.restored = true;
    if (const auto* tests = from.if_contains("tests")) {
        for (const auto& test : tests->as_array()) {
            const auto& parts = test.as_array();
            out.tests.push_back({json::value_to<std::string>(parts.at(0)), json::value_to<std::string>(parts.at(1)),
                                 static_cast<TestCase::Verdict>(std::clamp(parts.at(2).to_number<int>(), 0, 3)),
                                 json::value_to<std::string>(parts.at(3))});
        }
    }
    if (const auto* files = from.if_contains("files")) {
        out.files = json::value_to<std::vector<std::string>>(*files);
        out.files_dir = from.contains("in") ? text(from, "in") : artifacts;
    }
    return out;
}

void take_text(const json::object& from, Row& to) {
    to.execute_msg = text(from, "text");
    to.truncated = from.at("truncated").as_bool();
    std::uint32_t begin = 0;
    const auto size = static_cast<std::uint32_t>(to.execute_msg.size());
    for (const auto& run : from.at("runs").as_array()) {
        const auto& parts = run.as_array();
        const auto stream = parts.at(0).to_number<int>() == 2 ? OutputStream::err : OutputStream::out;
        begin = std::clamp(parts.at(1).to_number<std::uint32_t>(), begin, size);
        to.runs.push_back({stream, begin});
    }
}

Row row_of(const json::object& from, const std::string& artifacts) {
    Row out;
    out.code = code(from);
    out.error_msg = text(from, "error");
    out.phase = static_cast<Phase>(std::clamp(whole<int>(from, "phase"), 0, static_cast<int>(Phase::done)));
    out.exit_code = exit_code(from);
    out.output_bytes = whole<std::uint64_t>(from, "bytes");
    out.attempts = whole<std::uint32_t>(from, "attempts");
    out.ms = whole<std::uint64_t>(from, "ms");
    take_text(from, out);
    for (const auto& step : from.at("steps").as_array()) {
        out.steps.push_back(step_of(step.as_object(), artifacts));
        auto& added = out.steps.back();
        added.output_end = std::min(added.output_end, static_cast<std::uint32_t>(out.execute_msg.size()));
        added.output_begin = std::min(added.output_begin, added.output_end);
    }
    return out;
}

void take_head(const json::object& from, Past& to) {
    RunHead head{text(from, "run"), text(from, "file"), text(from, "fingerprint"),
                 json::value_to<std::vector<std::string>>(from.at("phones"))};
    to.head = std::move(head);
    to.phones.resize(to.head.phones.size());
}

void take_end(const json::object& from, const std::string& artifacts, PastPhone& to) {
    const auto step = whole<std::size_t>(from, "step");
    EndedStep ended;
    ended.result = step_of(from.at("result").as_object(), artifacts);
    ended.opened = from.at("opened").as_bool();
    take_text(from, ended.part);
    if (const auto* kept = from.if_contains("output")) {
        const auto& o = kept->as_object();
        ended.output =
            Output{text(o, "out"), text(o, "err"), ended.result.exit_code, ended.result.code, false, ended.result.ms};
    }
    if (const auto* lengths = from.if_contains("lengths")) {
        const auto& parts = lengths->as_array();
        ended.lengths = {parts.at(0).to_number<std::uint64_t>(), parts.at(1).to_number<std::uint64_t>()};
        to.lengths = *ended.lengths;
    }
    to.begun.erase(step);
    if (never_tried(ended.result.code) && !ended.result.continued) return;
    to.ended.insert_or_assign(step, std::move(ended));
}

void take_row(const json::object& from, const std::string& artifacts, PastPhone& to) {
    auto row = row_of(from, artifacts);
    if (!never_tried(row.code)) to.row = std::move(row);
}

}  // namespace

std::string head_line(const RunHead& head) {
    json::array phones(head.phones.begin(), head.phones.end());
    return journal_line({{"journal", kFormat},
                         {"run", json_view(head.id)},
                         {"file", json_view(head.file)},
                         {"fingerprint", json_view(head.fingerprint)},
                         {"phones", std::move(phones)}});
}

std::string begin_line(std::size_t phone, std::size_t step) { return journal_line({{"begin", phone}, {"step", step}}); }

std::string end_line(std::size_t phone, std::size_t step, const EndedStep& ended) {
    json::object out{{"end", phone}, {"step", step}, {"result", json_of(ended.result)}, {"opened", ended.opened}};
    add_text(out, ended.part);
    if (ended.output)
        out["output"] = json::object{{"out", json_view(ended.output->out)}, {"err", json_view(ended.output->err)}};
    if (ended.lengths) out["lengths"] = json::array{ended.lengths->out, ended.lengths->err};
    return journal_line(out);
}

std::string out_dir_line(const std::string& dir) { return journal_line({{"files", json_view(dir)}}); }

std::string artifacts_line(const std::string& dir) { return journal_line({{"artifacts", json_view(dir)}}); }

std::string row_line(std::size_t phone, const Row& row) {
    json::array steps;
    for (const auto& step : row.steps) steps.push_back(json_of(step));
    json::object out{{"row", phone},
                     {"code", code_value(row.code)},
                     {"error", json_view(row.error_msg)},
                     {"phase", static_cast<int>(row.phase)},
                     {"exit", number(row.exit_code)},
                     {"bytes", row.output_bytes},
                     {"attempts", row.attempts},
                     {"ms", row.ms},
                     {"steps", std::move(steps)}};
    add_text(out, row);
    return journal_line(out);
}

bool take_line(std::string_view line, Past& to) {
    try {
        const auto value = json::parse(json_view(line));
        const auto& object = value.as_object();
        if (const auto* format = object.if_contains("journal")) {
            // A second one would be of another run.
            if (format->to_number<int>() != kFormat || !to.head.id.empty()) return false;
            take_head(object, to);
            return true;
        }
        if (object.contains("files")) {
            to.out_dir = text(object, "files");
            for (auto& phone : to.phones) phone.lengths = {};
            return true;
        }
        if (object.contains("artifacts")) {
            to.artifacts = text(object, "artifacts");
            return true;
        }
        for (const char* kind : {"begin", "end", "row"}) {
            const auto* phone = object.if_contains(kind);
            if (!phone) continue;
            auto& past = to.phones.at(phone->to_number<std::size_t>());
            if (*kind == 'b') past.begun.insert(whole<std::size_t>(object, "step"));
            if (*kind == 'e') take_end(object, to.artifacts, past);
            if (*kind == 'r') take_row(object, to.artifacts, past);
            return true;
        }
    } catch (const std::exception&) {}
    return false;
}

}  // namespace drover::job
