// Rows as JSON: the document and the line form that scripts depend on. Pure; any thread.
// Keys are a promise: their names, their order, and "schema".
#pragma once
#include <boost/json/object.hpp>
#include <span>
#include <string>

#include "drover/row.hpp"
#include "report/summary.hpp"

namespace drover::report {

enum class Steps : std::uint8_t { none, with };  // with: rows of a job carry what each step did

boost::json::object row_object(const Row& row, Steps steps);
// One object, without a newline.
std::string row_json(const Row& row, Steps steps);
// {"schema":1,"summary":{...},"rows":[...]} and a newline; rows in the order given.
std::string document_json(const Summary& summary, std::span<const Row> rows, Steps steps);

}  // namespace drover::report
