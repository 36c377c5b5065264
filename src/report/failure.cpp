#include "report/failure.hpp"

#include <fmt/format.h>

#include "base/counted.hpp"
#include "report/printable.hpp"

namespace drover::report {

std::string failure_line(const Row& row) {
    if (row.ok()) return {};
    const auto message = row.error_msg.empty() ? info(row.code).text : std::string_view(row.error_msg);
    return fmt::format("{}: {}", info(row.code).name, printable(message, Layout::escape));
}

std::string failure_title(const Row& row) {
    if (row.ok()) return {};
    auto text = fmt::format("{}: {}", info(row.code).name, info(row.code).text);
    if (row.code == Code::command_failed && row.exit_code) text += fmt::format(" (exit {})", *row.exit_code);
    return text;
}

std::string truncation_line(const Row& row) {
    if (!row.truncated) return {};
    return fmt::format("output cut: {} shown of {}", counted(row.execute_msg.size(), "byte"), row.output_bytes);
}

std::string_view step_status(const StepResult& step) {
    if (step.skipped) return "skipped";
    if (step.code == Code::ok) return "ok";
    return step.continued ? "continued" : "failed";
}

std::string_view to_string(TestCase::Verdict verdict) {
    switch (verdict) {
        case TestCase::Verdict::passed: return "passed";
        case TestCase::Verdict::failed: return "failed";
        case TestCase::Verdict::error: return "error";
        case TestCase::Verdict::skipped: break;
    }
    return "skipped";
}

}  // namespace drover::report
