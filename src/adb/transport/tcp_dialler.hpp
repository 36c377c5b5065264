// Connects to one TCP address: looks the name up, tries each of its addresses in turn.
//
// Names are looked up on a few threads that all loops share, so that a name server that does not answer holds up nobody's
// loop, and of the phones only those with a name of that server. Threads: the loop's. Ownership: the caller owns the dialler;
// destroying it cancels, without a callback. Failure: Code::phone_not_found, or out_of_resources.
#pragma once
#include <functional>
#include <memory>

#include "base/loop_pool.hpp"
#include "drover/error.hpp"
#include "drover/instance.hpp"

namespace drover::adb {

class TcpDialler {
public:
    static constexpr std::size_t kLookupThreads = 16;

    // ok: a connected, non-blocking socket, owned by the callee.
    using Done = std::function<void(Result<int> fd)>;

    TcpDialler(Loop& loop, TcpAddress address);
    ~TcpDialler();
    TcpDialler(const TcpDialler&) = delete;
    TcpDialler& operator=(const TcpDialler&) = delete;

    // The result comes later, never from inside.
    void start(Done done);

private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace drover::adb
