// Rows as one page for a browser: a grid of phones and steps, when each step ran, and the outputs. Self-contained: no script, and
// nothing is loaded besides it; files that steps kept are links. Pure; any thread.
#pragma once
#include <span>
#include <string>
#include <string_view>

#include "drover/row.hpp"
#include "report/summary.hpp"

namespace drover::report {

// artifacts: the directory of the steps' files, as seen from where the page is, or absolute; empty: their names only, no links.
std::string document_html(std::string_view name, const Summary& summary, std::span<const Row> rows,
                          std::string_view artifacts = {});

}  // namespace drover::report
