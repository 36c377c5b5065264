// How a handler answers a request, now or later, from any thread.
//
// Copies share one answer: the first send() counts, later ones do nothing. When all copies are gone without an answer the
// client gets the Refusal of a 500. A Reply may outlive its connection and its server; then the answer goes nowhere.
#pragma once
#include <functional>
#include <memory>

#include "net/http_message.hpp"

namespace drover::net {

class Reply {
public:
    // `deliver` is called exactly once, from whichever thread answers.
    explicit Reply(std::function<void(Response)> deliver);
    void send(Response response) const;

private:
    struct Shared;
    std::shared_ptr<Shared> shared_;
};

// Called on a connection's loop: must not block.
using Handler = std::function<void(Request, Reply)>;
// Makes the answer to what is no request, 400 (not HTTP) or 431 (header block too large), and to what nobody answered, 500.
using Refusal = std::function<Response(int status)>;

}  // namespace drover::net
