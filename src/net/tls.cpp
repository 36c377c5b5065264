#include "net/tls.hpp"

#include <fmt/format.h>
#include <openssl/ssl.h>
#include <sys/stat.h>

namespace drover::net {
namespace {

namespace ssl = boost::asio::ssl;

tl::unexpected<Error> wrong(const std::filesystem::path& file, std::string_view why) {
    return fail(Code::bad_config, fmt::format("{}: {}", file.string(), why));
}

Result<void> check_private(const std::filesystem::path& file) {
    struct stat info {};
    if (::stat(file.c_str(), &info) != 0) return wrong(file, "cannot be read");
    if ((info.st_mode & 0077) != 0) return wrong(file, "others may read this key; chmod 600 it");
    return {};
}

}  // namespace

Result<TlsContext> make_server_tls(const TlsFiles& files) {
    if (auto checked = check_private(files.key); !checked) return tl::unexpected(checked.error());
    auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
    SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
    // An idle connection gives its 32 KiB of buffers back.
    SSL_CTX_set_mode(context->native_handle(), SSL_MODE_RELEASE_BUFFERS);
    boost::system::error_code error;
    context->use_certificate_chain_file(files.certificate.string(), error);
    if (error) return wrong(files.certificate, "no certificate chain: " + error.message());
    context->use_private_key_file(files.key.string(), ssl::context::pem, error);
    if (error) return wrong(files.key, "no private key of that certificate: " + error.message());
    return context;
}

Result<TlsContext> make_client_tls(const std::optional<std::filesystem::path>& ca) {
    auto context = std::make_shared<ssl::context>(ssl::context::tls_client);
    SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
    boost::system::error_code error;
    if (ca) {
        context->load_verify_file(ca->string(), error);
        if (error) return wrong(*ca, "no certificates: " + error.message());
    } else {
        context->set_default_verify_paths(error);
    }
    context->set_verify_mode(ssl::verify_peer, error);
    return context;
}

}  // namespace drover::net
