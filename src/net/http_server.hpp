// An HTTP/1.1 server: TCP with or without TLS, and Unix sockets.
//
// Threads: start(), stop(), reload_tls() and the destructor from one thread, not from the server's loops; the handler is called
// on those. Ownership: the server owns its connections; a Reply may outlive it. Failure: an address that cannot be had is an
// Error, and nothing listens then. Without TLS it refuses to listen anywhere but on loopback, unless `insecure` says so.
#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/address.hpp"
#include "net/http_session.hpp"
#include "net/tls.hpp"

namespace drover::net {

struct ServerOptions {
    std::vector<ListenAddress> listen;
    std::optional<TlsFiles> tls;  // for TCP; Unix sockets are always plain
    bool insecure = false;        // plain HTTP off loopback is meant so
    std::size_t loops = 1;
    std::size_t connections_max = 20'000;
    unsigned unix_mode = 0660;  // of a Unix socket's file
    SessionOptions session;
};

class HttpServer {
public:
    static Result<std::unique_ptr<HttpServer>> start(ServerOptions options);
    ~HttpServer();
    HttpServer(const HttpServer&) = delete;
    HttpServer& operator=(const HttpServer&) = delete;

    // What it listens on, with real ports, in the order of the options.
    std::vector<ListenAddress> addresses() const;
    // Listens no more, ends idle connections, and waits until the requests under way are answered, at most `drain`.
    // False: some were not; to be called again to wait longer.
    bool stop(Millis drain);
    // New connections get the certificate that the files hold now; on failure the old one stays.
    Result<void> reload_tls();
    std::size_t connections() const;

private:
    struct Impl;
    explicit HttpServer(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace drover::net
