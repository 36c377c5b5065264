#include "base/resource_limits.hpp"

#include <sys/resource.h>

#include <algorithm>

namespace drover {

void raise_descriptor_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= limit.rlim_max) return;
    limit.rlim_cur = limit.rlim_max;
    (void)::setrlimit(RLIMIT_NOFILE, &limit);
}

std::size_t descriptor_limit() {
    rlimit limit{};
    return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : 1024;
}

std::size_t descriptors_for_phones() {
    const std::size_t limit = descriptor_limit();
    return limit - std::min(kOwnDescriptors, limit / 2);
}

}  // namespace drover
