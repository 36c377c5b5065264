// A variable of the environment. Main thread: nothing here changes the environment while others read it.
#pragma once
#include <cstdlib>
#include <string>

namespace drover::cli {

// Empty when it is not set.
inline std::string environment(const char* name) {
    const char* value = std::getenv(name);
    return value ? value : "";
}

}  // namespace drover::cli
