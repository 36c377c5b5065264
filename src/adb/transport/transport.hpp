// Moves ADB packets between a link and a phone: TCP, USB, memory (tests). It knows packet borders, not meanings.
//
// Threads: the phone's loop. Ownership: the link's driver owns the transport; the sink outlives it. Failure: on_lost(),
// once, after which the transport is dead; destroying it closes it without a callback.
#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "base/bytes.hpp"
#include "drover/error.hpp"

namespace drover::adb {

class TransportSink {
public:
    // Bytes as they came, any split; valid during the call only. The transport may be destroyed from inside.
    virtual void on_bytes(ByteView bytes) = 0;
    virtual void on_lost(const Error& why) = 0;
    // on_bytes() is likely to come next: time to prefetch() what it will need.
    virtual void expect_bytes() {}

protected:
    ~TransportSink() = default;
};

class Transport {
public:
    virtual ~Transport() = default;
    // Begins to read; once, before the first write.
    virtual void start() = 0;
    // Whole packets, one or several behind each other; the transport takes them out of `packets` and leaves it empty
    // (its memory may be kept for reuse). Never blocks; what cannot be sent at once is queued.
    virtual void write(std::vector<std::uint8_t>& packets) = 0;
    // Bytes queued and not yet handed to the kernel.
    virtual std::size_t queued() const = 0;
};

}  // namespace drover::adb
