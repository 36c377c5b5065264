// What the kernel lets this process have. Any thread; best effort, no failure.
#pragma once
#include <cstddef>

namespace drover {

// Raises the soft limit of open descriptors to the hard one: each phone needs one, and the usual 1,024 is from before farms.
void raise_descriptor_limit();

// What a process of drover may have open beside its phones: programs of the host with their pipes, files of copies, loops,
// sockets of a server's callers.
constexpr std::size_t kOwnDescriptors = 256;

// The soft limit of open descriptors when it was last raised, or first asked for: a command asks, and is too short for a system call.
std::size_t descriptor_limit();
// What of it is there for phones: all but kOwnDescriptors, at least half.
std::size_t descriptors_for_phones();

}  // namespace drover
