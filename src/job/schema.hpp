// The JSON Schema (draft-07) of job files, for editors: made from the same tables of keys as the parser. Pure; any thread.
// What it cannot say (names that exist, texts that parse) only the parser knows.
#pragma once
#include <string>

namespace drover::job {

// Indented, with a newline at its end.
std::string job_schema();

}  // namespace drover::job
