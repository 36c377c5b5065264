// Makes phones' output safe to show on a terminal. Pure; any thread.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace drover::report {

enum class Layout : std::uint8_t { keep, escape };  // keep: newline and tab stay as they are

// Control characters (C0, DEL, and C1 as UTF-8) become visible: ESC is "\x1b". A carriage return before a newline goes
// away with Layout::keep. `utf8` must be valid.
std::string printable(std::string_view utf8, Layout layout);

}  // namespace drover::report
