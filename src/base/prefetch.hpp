// Asks the processor for an object's memory before it is needed. Where thousands of phones take turns, what belongs to the next
// one has long left the caches, and each line that must come from memory costs a command 100 ns; asked for while the one before
// is served, it costs next to nothing.
//
// Pure hints: nothing is read, and any address will do, also one that is no longer valid. Any thread.
#pragma once
#include <cstddef>
#include <cstdint>

namespace drover {

constexpr std::size_t kCacheLineBytes = 64;

inline void prefetch(const void* object, std::size_t bytes) {
    // There may be no object, and of such a pointer there are no sums.
    const auto address = reinterpret_cast<std::uintptr_t>(object);
    for (std::size_t at = 0; at < bytes; at += kCacheLineBytes)
        __builtin_prefetch(reinterpret_cast<const void*>(address + at));
}

}  // namespace drover
