// The state of phones as text: a table, a line per change, JSON. Pure; any thread.
#pragma once
#include <boost/json/object.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "drover/fleet.hpp"

namespace drover::report {

struct StatusLine {
    std::string instance_id;
    PhoneStatus status;
};

std::string_view status_word(int status);  // "running"; the documented word of 0..5
std::string status_table(std::span<const StatusLine> lines);
std::string status_change(const StatusLine& line);  // one line, ends with a newline
boost::json::object state_object(const PhoneStatus& status);
// {"instance_id","status","status_text","activity","adb_state","condition","why","since","held_by"}
boost::json::object status_object(const StatusLine& line);
std::string status_json(const StatusLine& line);  // the same, one line
// {"schema":1,"phones":[...]}; with histories, each phone has "history", oldest first.
std::string status_document(std::span<const StatusLine> lines, std::span<const std::vector<PhoneStatus>> histories);

}  // namespace drover::report
