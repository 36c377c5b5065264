// A listening socket, TCP or Unix. Threads: its loop only. Failure: an address that cannot be had is an Error (bad_config);
// when the process runs out of descriptors it waits a moment and goes on.
#pragma once
#include <functional>
#include <memory>

#include "net/address.hpp"
#include "net/http_session.hpp"

namespace drover::net {

class Listener {
public:
    using OnAccept = std::function<void(Accepted)>;
    static constexpr Millis kRetryPause{100};

    // A stale Unix socket file is replaced, one that somebody listens on is an error.
    static Result<std::unique_ptr<Listener>> open(Loop& loop, const ListenAddress& address, unsigned unix_mode,
                                                  OnAccept on_accept);
    virtual ~Listener() = default;

    virtual void begin() = 0;
    virtual ListenAddress address() const = 0;
};

}  // namespace drover::net
