// Findings about a host as text and as JSON. Pure; any thread.
#pragma once
#include <span>
#include <string>

#include "fleet/doctor.hpp"

namespace drover::report {

// A line per finding, what to do below it, then its details.
std::string doctor_text(std::span<const fleet::Finding> findings);
// {"schema":1,"problems":N,"warnings":N,"findings":[{"topic","level","what","fix","details"}]}
std::string doctor_document(std::span<const fleet::Finding> findings);
std::size_t count(std::span<const fleet::Finding> findings, fleet::FindingLevel level);

}  // namespace drover::report
