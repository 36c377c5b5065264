#include "base/assert.hpp"

#include <cstdio>
#include <cstdlib>

namespace drover {

void assertion_failed(const char* expression, const char* file, int line) {
    std::fprintf(stderr, "drover: assertion failed at %s:%d: %s\n", file, line, expression);
    std::abort();
}

}  // namespace drover
