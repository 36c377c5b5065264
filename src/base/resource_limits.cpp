#include "base/resource_limits.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <atomic>

namespace drover {
namespace {

std::size_t ask_kernel() {
    rlimit limit{};
    return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : 1024;
}

std::atomic<std::size_t>& remembered() {
    static std::atomic<std::size_t> limit = ask_kernel();
    return limit;
}

}  // namespace

void raise_descriptor_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        (void)::setrlimit(RLIMIT_NOFILE, &limit);
    }
    remembered() = ask_kernel();
}

std::size_t descriptor_limit() { return remembered(); }

std::size_t descriptors_for_phones() {
    const std::size_t limit = descriptor_limit();
    return limit - std::min(kOwnDescriptors, limit / 2);
}

}  // namespace drover
