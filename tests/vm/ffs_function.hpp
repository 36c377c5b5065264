// An ADB interface through FunctionFS: descriptors to ep0, then two endpoint files. Linux's own gadget stack is behind it.
//
// Threads: one per file may read or write. Ownership: closes its files. Failure: what cannot be set up throws.
#pragma once
#include <string>

#include "base/unique_fd.hpp"

namespace drover::test {

struct FfsFunction {
    explicit FfsFunction(const std::string& mount);

    // Reads events until one that enables or disables the endpoints; answers set-up requests. False: the gadget is gone.
    bool next_event(bool& enabled);

    UniqueFd control;    // ep0
    UniqueFd to_host;    // bulk IN
    UniqueFd from_host;  // bulk OUT
};

}  // namespace drover::test
