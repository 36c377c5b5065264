// The lines of a journal as values. Pure; any thread. Private to journal*.cpp.
#pragma once
#include <string>
#include <string_view>

#include "job/journal.hpp"

namespace drover::job {

std::string head_line(const RunHead& head);
std::string begin_line(std::size_t phone, std::size_t step);
std::string end_line(std::size_t phone, std::size_t step, const EndedStep& ended);
std::string out_dir_line(const std::string& dir);
std::string artifacts_line(const std::string& dir);
std::string row_line(std::size_t phone, const Row& row);

// False: the line is none of a journal. Lines of phones that the head does not know are none either. Such a line
// changes nothing.
bool take_line(std::string_view line, Past& to);

}  // namespace drover::job
