// One HTTP request and its answer, waited for: for the command line and the agent, never for a loop.
// Any thread; each call makes its own connection. Failure: Code::server_unreachable (no connection, or none in time),
// Code::server_failed (what came back is no HTTP answer, or too large).
#pragma once
#include <atomic>
#include <filesystem>
#include <optional>

#include "base/duration.hpp"
#include "drover/error.hpp"
#include "net/address.hpp"
#include "net/http_message.hpp"
#include "net/tls.hpp"

namespace drover::net {

constexpr std::size_t kAnswerBytesMax = 64 * 1024 * 1024;

struct ClientOptions {
    Millis timeout{10'000};  // of the whole exchange
    std::size_t answer_bytes_max = kAnswerBytesMax;
    TlsContext tls;                              // for https; null: the system's certificates
    const std::atomic<bool>* abandon = nullptr;  // becomes true: give up soon
};

// request.target is appended to the URL's base path; Host and Content-Length are added.
Result<Response> exchange(const Url& url, const Request& request, const ClientOptions& options);

}  // namespace drover::net
