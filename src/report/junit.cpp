#include "report/junit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "report/failure.hpp"

namespace drover::report {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";

bool is_failure(Code code) { return info(code).exit_code == info(Code::command_failed).exit_code; }

std::string seconds(std::uint64_t ms) { return fmt::format("{}.{:03}", ms / 1000, ms % 1000); }

struct Case {
    std::string suite_name;  // the classname
    std::string name;
    std::uint64_t ms = 0;
    Code code = Code::ok;
    bool skipped = false;
    std::string message;  // "CPS.0191: ..."
    std::string details;  // the text of the element: a stack trace
    std::string output;
    std::string note;
    std::string attachments;  // lines
};

// What is left of a mark that a phone printed is none.
std::string without_attachments(std::string_view output) {
    constexpr std::string_view kMark = "[[ATTACHMENT|", kHarmless = "[ [ATTACHMENT|";
    std::string out;
    while (true) {
        const auto at = output.find(kMark);
        out += output.substr(0, at);
        if (at == std::string_view::npos) return out;
        out += kHarmless;
        output.remove_prefix(at + kMark.size());
    }
}

// A line; none for a file that whoever reads the line would look for elsewhere: phones may choose names.
std::string attachment(std::string_view directory, std::string_view file) {
    constexpr std::string_view kEnd = "]]";
    const auto path = fmt::format("{}{}{}{}", directory, directory.empty() ? "" : "/", file, kEnd);
    const bool ends_early = path.find(kEnd) != path.size() - kEnd.size();
    const bool has_control =
        std::any_of(path.begin(), path.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; });
    return ends_early || has_control ? std::string() : fmt::format("[[ATTACHMENT|{}\n", path);
}

std::string text_of(const Case& c) {
    auto text = fmt::format("    <testcase classname=\"{}\" name=\"{}\" time=\"{}\">\n", xml_text(c.suite_name),
                            xml_text(c.name), seconds(c.ms));
    if (c.skipped) text += "      <skipped></skipped>\n";
    if (!c.skipped && c.code != Code::ok) {
        text +=
            fmt::format("      <{0} type=\"{1}\" message=\"{2}\">{3}</{0}>\n", is_failure(c.code) ? "failure" : "error",
                        info(c.code).name, xml_text(c.message), xml_text(c.details));
    }
    if (!c.output.empty() || !c.attachments.empty()) {
        const bool joins = !c.output.empty() && !c.output.ends_with('\n') && !c.attachments.empty();
        text += fmt::format("      <system-out>{}{}{}</system-out>\n", xml_text(c.output), joins ? "\n" : "",
                            xml_text(c.attachments));
    }
    if (!c.note.empty()) text += fmt::format("      <system-err>{}</system-err>\n", xml_text(c.note));
    return text + "    </testcase>\n";
}

std::string text_of(std::string_view name, std::uint64_t ms, const std::vector<Case>& cases) {
    std::size_t failures = 0, errors = 0, skipped = 0;
    for (const auto& c : cases) {
        skipped += c.skipped ? 1 : 0;
        if (c.skipped || c.code == Code::ok) continue;
        ++(is_failure(c.code) ? failures : errors);
    }
    auto text = fmt::format("  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\"{} time=\"{}\">\n",
                            xml_text(name), cases.size(), failures, errors,
                            skipped > 0 ? fmt::format(" skipped=\"{}\"", skipped) : "", seconds(ms));
    for (const auto& c : cases) text += text_of(c);
    return text + "  </testsuite>\n";
}

Case case_of_row(std::string_view name, const Row& row) {
    Case c;
    c.suite_name = std::string(name);
    c.name = row.instance_id;
    c.ms = row.ms;
    c.code = row.code;
    c.message = failure_line(row);
    c.output = without_attachments(row.execute_msg);
    c.note = truncation_line(row);
    return c;
}

std::string step_title(const StepResult& step) {
    return step.combination.empty() ? step.name : fmt::format("{} ({})", step.name, step.combination);
}

Case case_of_step(const Row& row, const StepResult& step, std::string_view suite, std::string_view name) {
    Case c;
    c.suite_name = std::string(suite);
    c.name = std::string(name);
    c.ms = step.ms;
    c.code = step.continued ? Code::ok : step.code;
    c.skipped = step.skipped;
    if (step.code != Code::ok) {
        c.message = fmt::format("{}: {}", info(step.code).name, step.error_msg);
        if (step.continued) c.note = without_attachments(c.message);
    }
    const auto output =
        std::string_view(row.execute_msg).substr(step.output_begin, step.output_end - step.output_begin);
    // A program of this host may attach what it likes.
    c.output = step.kind == "host-run" ? std::string(output) : without_attachments(output);
    return c;
}

Case case_of_test(const TestCase& test) {
    Case c;
    c.suite_name = test.suite;
    c.name = test.name;
    c.skipped = test.verdict == TestCase::Verdict::skipped;
    if (test.verdict == TestCase::Verdict::failed) c.code = Code::command_failed;
    if (test.verdict == TestCase::Verdict::error) c.code = Code::internal;
    if (c.code == Code::ok) return c;
    c.details = test.message;
    c.message = test.message.substr(0, test.message.find('\n'));
    return c;
}

// The step, and the tests it ran.
void add_cases(const Row& row, const StepResult& step, const std::string& suite, const std::string& name,
               std::string_view artifacts, std::vector<Case>& to) {
    to.push_back(case_of_step(row, step, suite, name));
    const std::string_view directory = step.files_dir.empty() ? artifacts : step.files_dir;
    for (const auto& file : step.files) to.back().attachments += attachment(directory, file);
    for (const auto& test : step.tests) to.push_back(case_of_test(test));
}

// Where no step is to blame, the phone itself is a case: it was stopped, or never came so far.
bool blames_no_step(const Row& row) {
    return !row.ok() && std::none_of(row.steps.begin(), row.steps.end(),
                                     [](const StepResult& s) { return s.code != Code::ok && !s.continued; });
}

std::string suites_by_phone(std::span<const Row> rows, std::string_view artifacts) {
    std::string text;
    for (const auto& row : rows) {
        std::vector<Case> cases;
        for (const auto& step : row.steps) add_cases(row, step, row.instance_id, step_title(step), artifacts, cases);
        if (blames_no_step(row)) cases.push_back(case_of_row(row.instance_id, row));
        text += text_of(row.instance_id, row.ms, cases);
    }
    return text;
}

std::string suites_by_step(std::span<const Row> rows, std::string_view artifacts) {
    std::vector<std::pair<std::string, std::vector<Case>>> suites;
    std::vector<Case> not_begun, between;
    for (const auto& row : rows) {
        for (std::size_t i = 0; i < row.steps.size(); ++i) {
            if (i == suites.size()) suites.emplace_back(step_title(row.steps[i]), std::vector<Case>());
            add_cases(row, row.steps[i], suites[i].first, row.instance_id, artifacts, suites[i].second);
        }
        if (row.steps.empty()) {
            not_begun.push_back(case_of_row("not begun", row));
        } else if (blames_no_step(row)) {
            between.push_back(case_of_row("between steps", row));
        }
    }
    std::string text;
    for (const auto& [name, cases] : suites) {
        std::uint64_t ms = 0;
        for (const auto& c : cases) ms = std::max(ms, c.ms);
        text += text_of(name, ms, cases);
    }
    if (!not_begun.empty()) text += text_of("not begun", 0, not_begun);
    if (!between.empty()) text += text_of("between steps", 0, between);
    return text;
}

}  // namespace

std::string xml_text(std::string_view utf8) {
    std::string out;
    out.reserve(utf8.size());
    for (std::size_t i = 0; i < utf8.size(); ++i) {
        const auto byte = static_cast<unsigned char>(utf8[i]);
        const auto rest = utf8.substr(i);
        if (byte == '&') {
            out += "&amp;";
        } else if (byte == '<') {
            out += "&lt;";
        } else if (byte == '>') {
            out += "&gt;";
        } else if (byte == '"') {
            out += "&quot;";
        } else if (byte == '\r') {
            out += "&#13;";  // a bare one would be read back as a newline
        } else if (byte < 0x20 && byte != '\n' && byte != '\t') {
            out += kReplacement;
        } else if (rest.starts_with("\xef\xbf\xbe") || rest.starts_with("\xef\xbf\xbf")) {
            out += kReplacement;
            i += 2;
        } else {
            out += utf8[i];
        }
    }
    return out;
}

std::string document_junit(std::string_view name, const Summary& summary, std::span<const Row> rows, JunitSuite suite,
                           std::string_view artifacts) {
    std::string text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n";
    const bool has_steps = std::any_of(rows.begin(), rows.end(), [](const Row& row) { return !row.steps.empty(); });
    if (suite == JunitSuite::call || !has_steps) {
        std::vector<Case> cases;
        for (const auto& row : rows) cases.push_back(case_of_row(name, row));
        text += text_of(name, summary.ms, cases);
    } else {
        text += suite == JunitSuite::phone ? suites_by_phone(rows, artifacts) : suites_by_step(rows, artifacts);
    }
    return text + "</testsuites>\n";
}

}  // namespace drover::report
