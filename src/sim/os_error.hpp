// What the operating system said of the call before, from errno, as an error of the virtual phones. Any thread.
#pragma once
#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <string_view>

#include "drover/error.hpp"

namespace drover::sim {

inline Error os_error(std::string_view what) {
    return Error(Code::out_of_resources, fmt::format("{}: {}", what, std::strerror(errno)));
}

}  // namespace drover::sim
