#include <gtest/gtest.h>

#include "net/http_client.hpp"
#include "net/http_server.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"

namespace drover::net {
namespace {

// A certificate for localhost that signs itself; made by Debian's openssl.
TlsFiles make_files(const test::TempDir& dir, const std::string& name) {
    TlsFiles files{dir / (name + ".pem"), dir / (name + ".key")};
    test::ProcessOptions o;
    o.argv = {"openssl",
              "req",
              "-x509",
              "-newkey",
              "ec",
              "-pkeyopt",
              "ec_paramgen_curve:prime256v1",
              "-nodes",
              "-days",
              "2",
              "-subj",
              "/CN=localhost",
              "-addext",
              "subjectAltName=DNS:localhost",
              "-keyout",
              files.key.string(),
              "-out",
              files.certificate.string()};
    const auto made = test::run(std::move(o));
    EXPECT_EQ(made.code(), 0) << made.err;
    std::filesystem::permissions(files.key, std::filesystem::perms(0600));
    return files;
}

std::unique_ptr<HttpServer> serve(const TlsFiles& files) {
    ServerOptions o;
    o.listen = {{"127.0.0.1", 0, ""}};
    o.tls = files;
    o.session.handler = [](const Request& request, const Reply& reply) {
        Response r;
        r.body = request.encrypted ? "safe" : "plain";
        reply.send(r);
    };
    o.session.refusal = [](int) { return Response(); };
    auto started = HttpServer::start(std::move(o));
    EXPECT_TRUE(started) << started.error().message;
    return started ? std::move(*started) : nullptr;
}

Result<Response> get(const HttpServer& server, const std::filesystem::path& ca) {
    const auto url = parse_url("https://localhost:" + std::to_string(server.addresses()[0].port));
    Request request;
    request.method = "GET";
    request.target = "/";
    ClientOptions options;
    options.tls = *make_client_tls(ca);
    return exchange(*url, request, options);
}

TEST(Tls, ServesTheCertificateThatTheFilesHold) {
    const test::TempDir dir;
    const auto files = make_files(dir, "a");
    auto server = serve(files);
    ASSERT_TRUE(server);
    const auto answer = get(*server, files.certificate);
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer->body, "safe");

    const auto other = make_files(dir, "b");
    EXPECT_FALSE(get(*server, other.certificate)) << "a certificate nobody trusts was taken";
    std::filesystem::copy_file(other.certificate, files.certificate, std::filesystem::copy_options::overwrite_existing);
    std::filesystem::copy_file(other.key, files.key, std::filesystem::copy_options::overwrite_existing);
    ASSERT_TRUE(server->reload_tls());
    EXPECT_TRUE(get(*server, other.certificate));

    dir.write("a.pem", "no certificate");
    EXPECT_FALSE(server->reload_tls());
    EXPECT_TRUE(get(*server, other.certificate)) << "a bad file took the good certificate away";
}

TEST(Tls, AKeyThatOthersMayReadIsRefused) {
    const test::TempDir dir;
    const auto files = make_files(dir, "a");
    std::filesystem::permissions(files.key, std::filesystem::perms(0644));
    const auto made = make_server_tls(files);
    ASSERT_FALSE(made);
    EXPECT_NE(made.error().message.find("chmod 600"), std::string::npos);
}

}  // namespace
}  // namespace drover::net
