// Connects to one phone and says hello as drover does, with drover's own banner: both negotiate the same features.
// Blocking; any thread. The caller owns the descriptor. Failure: a message on stderr and exit code 1.
#pragma once
#include "drover/instance.hpp"

namespace drover::bench {

// A non-blocking socket behind the phone's CNXN.
int dial(const TcpAddress& address, bool delayed_ack);

}  // namespace drover::bench
