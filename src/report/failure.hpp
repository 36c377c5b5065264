// How a failed row is told in one line. Pure; any thread.
#pragma once
#include <string>
#include <string_view>

#include "drover/row.hpp"

namespace drover::report {

// "CPS.0191: Run command failed: exit code 3"; control characters in the message made visible. Empty when ok.
std::string failure_line(const Row& row);
// "CPS.0191: Run command failed. (exit 3)": without the row's own message, what all rows of one code and exit code share.
std::string failure_title(const Row& row);
// "output cut: 1024 of 20971520 bytes shown"; empty when nothing was cut.
std::string truncation_line(const Row& row);

// "ok", "failed", "continued" (failed, and the job went on), "skipped"
std::string_view step_status(const StepResult& step);
std::string_view to_string(TestCase::Verdict verdict);  // "passed", "failed", "error", "skipped"

}  // namespace drover::report
