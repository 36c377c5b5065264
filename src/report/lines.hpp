// `--output lines`: every line of a phone's output with its id in front; stdout and stderr kept apart. Pure; any thread.
#pragma once
#include <string>
#include <vector>

#include "drover/row.hpp"

namespace drover::report {

struct LinesStyle {
    bool escape_out = false;  // stdout is a terminal: control characters are made visible
    bool escape_err = false;
    bool color_err = false;
};

// Whole lines for one of the process's own streams.
struct Piece {
    OutputStream stream = OutputStream::out;
    std::string text;
};

// In the order the lines ended on the phone, so that a terminal that shows both streams shows them as they came. A failed row
// adds a line on stderr, a cut one says so there; an ok row without output is silent.
std::vector<Piece> lines_of(const Row& row, const LinesStyle& style);

}  // namespace drover::report
