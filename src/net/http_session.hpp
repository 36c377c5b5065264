// One server connection: reads requests, hands them to the handler one at a time, writes the answers, keeps alive.
//
// Threads: its loop only; a Reply may come from any. Ownership: a session keeps itself alive by what it waits for; the Sessions
// of its loop know it until it ends, and outlive it. Failure: what is no HTTP gets 400 and the connection ends; a header block
// past kHeaderBytesMax 431; a peer that is too slow is cut. While a body is streamed, a peer that closes its side has gone.
#pragma once
#include <atomic>
#include <boost/asio/generic/stream_protocol.hpp>
#include <memory>
#include <unordered_set>

#include "base/duration.hpp"
#include "base/loop_pool.hpp"
#include "net/reply.hpp"
#include "net/tls.hpp"

namespace drover::net {

struct SessionOptions {
    Millis idle{75'000};       // between requests
    Millis request{10'000};    // from a request's first byte to its last; TLS handshake
    Millis write{30'000};      // for a whole answer
    Millis linger{2'000};      // a closing connection waits for its peer to read the last answer
    Millis heartbeat{10'000};  // of a stream that has nothing to say
    Millis unacked{30'000};    // what was sent, until the peer's host acknowledges it; TCP
    // What a request's body may have, told by its head; null: kBodyBytesMax. At most kBodyBytesLimit.
    std::function<std::size_t(const Request& head)> body_bytes_max = {};
    Handler handler;
    Refusal refusal;
};

class Session {
public:
    virtual ~Session() = default;
    virtual void begin() = 0;
    // Ends an idle connection now, a busy one after its answer.
    virtual void finish() = 0;
    virtual void cut() = 0;
    // The server ends: nobody may touch this session's loop from now on.
    virtual void abandon() = 0;
    virtual void answer(Response response) = 0;
    // A streamed body has more to send.
    virtual void pump() = 0;
};

// The sessions of one loop. Touched on that loop only, but for its making and destroying.
struct Sessions {
    Sessions(Loop& l, std::shared_ptr<const SessionOptions> o) : loop(l), options(std::move(o)) {}
    Loop& loop;
    std::shared_ptr<const SessionOptions> options;
    std::unordered_set<Session*> open = {};
    std::atomic<std::size_t> open_count = 0;  // for any thread
    bool stopping = false;
    std::function<void()> on_empty = {};  // called once stopping, when the last one is gone
};

using StreamSocket = boost::asio::generic::stream_protocol::socket;

struct Accepted {
    StreamSocket socket;
    std::string peer;
    bool local = false;
    TlsContext tls;  // null: plain
};

// On the loop.
void start_session(Sessions& sessions, Accepted accepted);

}  // namespace drover::net
