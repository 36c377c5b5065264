// One HTTP request whose answer comes piece by piece. For a thread of its own, never for a loop.
//
// Threads: open() and read() from one; cancel() from any. Failure: Code::server_unreachable (no connection, or silence for
// longer than allowed), Code::server_failed (what came is no HTTP answer, or ended before it was whole).
#pragma once
#include <functional>
#include <memory>
#include <string_view>

#include "base/duration.hpp"
#include "drover/error.hpp"
#include "net/address.hpp"
#include "net/http_message.hpp"
#include "net/tls.hpp"

namespace drover::net {

struct StreamOptions {
    Millis open{30'000};     // until the head of the answer is here
    Millis silence{45'000};  // between two pieces; servers send something every ten seconds
    TlsContext tls = nullptr;
};

class HttpStream {
public:
    HttpStream(Url url, StreamOptions options);
    ~HttpStream();
    HttpStream(const HttpStream&) = delete;
    HttpStream& operator=(const HttpStream&) = delete;

    // Sends the request and waits for the answer's head. The body of an answer that is not 200 is read and in it.
    Result<Response> open(const Request& request);
    // Until the body is whole. A piece lives as long as the call.
    Result<void> read(const std::function<void(std::string_view piece)>& on_piece);
    // Ends open() and read() soon, for good.
    void cancel();

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace drover::net
