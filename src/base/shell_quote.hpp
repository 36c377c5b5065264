// Text as one word of a POSIX shell (XCU 2.2.2, single quotes), whatever it holds: Android's mksh and the host's sh alike.
// Pure; any thread.
#pragma once

#include <string>
#include <string_view>

namespace drover {

std::string shell_quote(std::string_view text);

}  // namespace drover
