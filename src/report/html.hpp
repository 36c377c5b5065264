// Rows as one page for a browser: a grid of phones and steps, when each step ran, and the outputs. Self-contained: no script, no
// file and no address besides it. Pure; any thread.
#pragma once
#include <span>
#include <string>
#include <string_view>

#include "drover/row.hpp"
#include "report/summary.hpp"

namespace drover::report {

std::string document_html(std::string_view name, const Summary& summary, std::span<const Row> rows);

}  // namespace drover::report
