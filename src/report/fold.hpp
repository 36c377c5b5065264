// `--output fold`: phones that gave the same answer are shown once. Pure; any thread.
#pragma once
#include <span>
#include <string>

#include "drover/row.hpp"

namespace drover::report {

struct FoldStyle {
    bool escape = false;  // shown on a terminal: control characters are made visible
    bool color = false;
};

// Groups of equal code, exit code and output, the largest first (then the one whose first phone stands first); ids as ranges.
//
//     ---------------
//     rack1-[01-18] (18)
//     ---------------
//     Linux localhost 4.19
//
// A failed group names its code; when the phones of a group have messages of their own, the first few are shown below.
std::string fold(std::span<const Row> rows, const FoldStyle& style);

}  // namespace drover::report
