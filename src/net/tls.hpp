// TLS contexts out of certificate files. Any thread; the context is shared and immutable once made.
// Failure: Code::bad_config with the file and OpenSSL's reason.
#pragma once
#include <boost/asio/ssl/context.hpp>
#include <filesystem>
#include <memory>
#include <optional>

#include "drover/error.hpp"

namespace drover::net {

struct TlsFiles {
    std::filesystem::path certificate;  // PEM, the chain from the server's own certificate on
    std::filesystem::path key;          // PEM, readable by the owner only
};

using TlsContext = std::shared_ptr<boost::asio::ssl::context>;

// TLS 1.2 and 1.3.
Result<TlsContext> make_server_tls(const TlsFiles& files);
// Verifies the server against the system's certificates, or against `ca` alone.
Result<TlsContext> make_client_tls(const std::optional<std::filesystem::path>& ca);

}  // namespace drover::net
