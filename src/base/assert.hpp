// DROVER_ASSERT: for drover's own bugs, also in release builds. Never for anything a phone, a host or a user sends.
#pragma once

namespace drover {
[[noreturn]] void assertion_failed(const char* expression, const char* file, int line);
}

#define DROVER_ASSERT(expression)                                                       \
    do {                                                                                \
        if (!(expression)) ::drover::assertion_failed(#expression, __FILE__, __LINE__); \
    } while (false)
