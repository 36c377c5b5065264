// One ADB stream as its user sees it, and what can open one. Implemented by Link (direct: TCP, USB) and by ServerCarrier
// (one smart-socket connection a stream); users need not know which.
//
// Threads: all on the phone's loop. Ownership: the user owns its StreamHandler and keeps it alive until on_closed() or
// close(). Failure: on_closed() with the error; it is the last call, and comes exactly once unless close() was called.
// A handler may open, close and write streams of the same carrier from inside its callbacks; it may not destroy the carrier.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "adb/banner.hpp"
#include "base/bytes.hpp"
#include "drover/error.hpp"

namespace drover::adb {

using StreamId = std::uint32_t;  // 0: none. Counts up; never reused on one carrier.

enum class Ack : std::uint8_t { now, later };  // later: the stream stays blocked until acknowledge()

class StreamHandler {
public:
    virtual void on_open() = 0;               // the phone accepted the service
    virtual Ack on_data(ByteView bytes) = 0;  // a piece, never empty; valid during the call only
    virtual void on_writable() {}             // the phone took something, and nothing that was written waits to be sent
    // nullopt: the phone closed the stream. Before on_open() that is a refusal and comes as Code::refused.
    virtual void on_closed(const std::optional<Error>& why) = 0;

protected:
    ~StreamHandler() = default;
};

// What is known of the other end once it is online.
struct Peer {
    std::uint32_t version = 0;
    std::uint32_t max_payload = 0;  // bytes; a service string must fit too
    Features features;              // those both sides list
    Banner banner;
};

class Carrier {
public:
    // How much of one is worth a prefetch() before open().
    static constexpr std::size_t kHotBytes = 256;

    virtual ~Carrier() = default;
    virtual const Peer& peer() const = 0;
    // Fails at once when the link is not online, the service is too long for the phone (Code::command_too_long) or too
    // many streams are open; the handler is then not called. A refusal by the phone comes later, through on_closed().
    // No callback comes before open() has returned.
    virtual Result<StreamId> open(std::string_view service, StreamHandler& handler) = 0;
    // Queues bytes; sent as the phone's window allows. At most write_limit() bytes may wait: more is the caller's bug.
    virtual void write(StreamId id, ByteView bytes) = 0;
    virtual std::size_t write_limit() const = 0;
    // Bytes of this stream that were written and not yet taken by the phone (through a server: not yet by the server).
    virtual std::size_t unacked(StreamId id) = 0;
    virtual void acknowledge(StreamId id) = 0;  // after Ack::later; of a closed stream: ignored
    // Ends the stream: the phone hangs its process up. No callback follows. Of a closed stream: ignored.
    virtual void close(StreamId id) = 0;
};

}  // namespace drover::adb
