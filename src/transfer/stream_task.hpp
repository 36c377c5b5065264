// What is done over one stream of a phone, apart from the phone and its loop: bytes in, bytes out, and files of this host.
//
// Threads: made on the phone's loop; all else on the work pool, one call at a time. Ownership: the operation's.
// Failure: an Error ends the task; then discard() is called, and nothing else. A task must keep what a phone can make it
// remember below limits of its own.
#pragma once
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "drover/error.hpp"

namespace drover::transfer {

using Bytes = std::vector<std::uint8_t>;

class StreamTask {
public:
    virtual ~StreamTask() = default;
    // From the phone.
    virtual Result<void> feed(ByteView bytes) = 0;
    // Appends what the phone shall get, about `room` bytes. Appends nothing: nothing is to be sent until more was fed.
    virtual Result<void> produce(std::size_t room, Bytes& out) = 0;
    // Everything was sent and answered: the stream is closed, whatever the phone may still say.
    virtual bool done() const = 0;
    // The phone closed the stream before it was done(). Not an error where that is how the phone says that it is done.
    virtual Result<void> on_closed() { return fail(Code::protocol_error, "the phone closed the stream in the middle"); }
    // After done(): what was received takes its place. Gives the line that the row shows.
    virtual Result<std::string> finish() = 0;
    // It failed, or was stopped: removes what was written in part.
    virtual void discard() {}
};

}  // namespace drover::transfer
