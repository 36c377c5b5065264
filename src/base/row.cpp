#include "drover/row.hpp"

#include <array>

namespace drover {

std::string_view to_string(Phase phase) {
    constexpr std::array<std::string_view, 8> kNames{"queue", "connect",    "handshake", "auth",
                                                     "open",  "first_byte", "run",       "done"};
    return kNames[static_cast<std::size_t>(phase)];
}

}  // namespace drover
