// HTTP requests and responses as plain values, and how a response looks on the wire. Pure; any thread.
// No type of the HTTP library stands here: only http_session.cpp and http_client.cpp see it.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/body_stream.hpp"

namespace drover::net {

constexpr std::size_t kHeaderBytesMax = 24 * 1024;  // the whole header block; an X-Auth-Token alone may have 16 KiB
constexpr std::size_t kBodyBytesMax = 64 * 1024;    // of a request, where nothing else is said
constexpr std::size_t kBodyBytesLimit = 4 * 1024 * 1024;  // of any request

struct Header {
    std::string name;
    std::string value;
};

struct Request {
    std::string method;  // as sent; methods are case-sensitive
    std::string target;  // as sent, with query; not decoded
    std::vector<Header> headers;
    std::string body;
    bool body_too_large = false;  // over what is allowed; `body` is empty then
    std::string peer;             // numeric address without port; "unix uid 1000 pid 4711"
    bool local = false;           // came through a Unix socket: file permissions let it in
    bool encrypted = false;

    // The first header of that name (any case); null when absent.
    const std::string* header(std::string_view name) const;
    std::size_t count(std::string_view name) const;
};

struct Response {
    static constexpr int kLost = 0;  // a status that is never sent: nobody answered

    int status = 200;
    std::vector<Header> headers;
    std::string body;
    std::shared_ptr<BodyStream> stream = nullptr;  // the body comes from here, instead
    bool close = false;                            // end the connection after this answer

    const std::string* header(std::string_view name) const;
};

bool same_header_name(std::string_view a, std::string_view b);  // ASCII, any case
std::string_view reason_phrase(int status);

struct WireForm {
    bool head = false;  // answer to HEAD: no body
    bool keep_alive = true;
    bool http_1_0 = false;
};
std::string to_chunk(std::string_view bytes);  // of a body that is streamed; "" is its end
// Adds Content-Length (or, for a stream, Transfer-Encoding) and, where it is needed, Connection. Headers with control characters are left out.
std::string to_wire(const Response& response, const WireForm& form);

}  // namespace drover::net
