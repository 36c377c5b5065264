#include "net/http_server.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <future>
#include <mutex>

#include "net/http_client.hpp"
#include "support/raw_client.hpp"
#include "support/sanitizers.hpp"
#include "support/temp_dir.hpp"

namespace drover::net {
namespace {

using namespace std::chrono_literals;

Response text(std::string body, int status = 200) {
    Response r;
    r.status = status;
    r.body = std::move(body);
    return r;
}

class Server : public ::testing::Test {
protected:
    ServerOptions options() {
        ServerOptions o;
        o.listen = {{"127.0.0.1", 0, ""}};
        // "METHOD TARGET BODY" back, unless the test takes the reply for later.
        o.session.handler = [this](Request request, const Reply& reply) {
            const std::lock_guard lock(mutex);
            if (request.target == "/later") return kept.push_back(reply), arrived.set_value();
            if (request.target == "/drop") return;
            if (request.body_too_large) return reply.send(text("too large", 400));
            reply.send(text(request.method + " " + request.target + " " + request.body + "|" +
                            std::to_string(request.headers.size())));
        };
        o.session.refusal = [](int status) { return text("refused", status); };
        return o;
    }
    void start(ServerOptions o) {
        auto started = HttpServer::start(std::move(o));
        ASSERT_TRUE(started) << started.error().message;
        server = std::move(*started);
        port = server->addresses()[0].port;
    }

    std::mutex mutex;
    std::vector<Reply> kept;
    std::promise<void> arrived;
    std::unique_ptr<HttpServer> server;
    std::uint16_t port = 0;
};

constexpr std::string_view kGet = "GET /a?b=c HTTP/1.1\r\nHost: x\r\n\r\n";

TEST_F(Server, KeepsAConnectionForManyRequests) {
    start(options());
    test::RawClient client(port);
    for (int i = 0; i < 100; ++i) {
        client.send(kGet);
        EXPECT_EQ(client.read_answer(), "HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\nGET /a?b=c |1");
    }
    EXPECT_EQ(server->connections(), 1U);
}

TEST_F(Server, AnswersPipelinedRequestsInOrder) {
    start(options());
    test::RawClient client(port);
    client.send(
        "GET /1 HTTP/1.1\r\n\r\nPOST /2 HTTP/1.1\r\nContent-Length: 2\r\n\r\nhiGET /3 HTTP/1.1\r\nConnection: "
        "close\r\n\r\n");
    const auto all = client.read_all();
    EXPECT_LT(all.find("GET /1"), all.find("POST /2 hi"));
    EXPECT_LT(all.find("POST /2 hi"), all.find("GET /3"));
    EXPECT_NE(all.find("Connection: close"), std::string::npos);
}

TEST_F(Server, PipelinedGarbageGets400AfterTheGoodAnswer) {
    start(options());
    test::RawClient client(port);
    client.send(std::string(kGet) + "\x01\x02 garbage\r\n\r\n");
    const auto all = client.read_all();
    EXPECT_TRUE(all.starts_with("HTTP/1.1 200")) << all;
    EXPECT_NE(all.find("HTTP/1.1 400 Bad Request"), std::string::npos) << all;
}

TEST_F(Server, ReadsABodyTornIntoBytesAndChunks) {
    start(options());
    test::RawClient client(port);
    for (const char c :
         std::string("POST /t HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"))
        client.send({&c, 1});
    EXPECT_TRUE(client.read_answer().ends_with("POST /t abcde|1"));
}

TEST_F(Server, ATokenOf16KiBFitsAHeaderBlockPast24KiBGets431) {
    start(options());
    test::RawClient good(port);
    good.send("GET /t HTTP/1.1\r\nX-Auth-Token: " + std::string(16'384, 'x') + "\r\n\r\n");
    EXPECT_TRUE(good.read_answer().starts_with("HTTP/1.1 200"));
    test::RawClient bad(port);
    bad.send("GET /t HTTP/1.1\r\nX-Auth-Token: " + std::string(kHeaderBytesMax, 'x') + "\r\n\r\n");
    const auto answer = bad.read_all();
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 431 Request Header Fields Too Large")) << answer.substr(0, 100);
    EXPECT_NE(answer.find("Connection: close"), std::string::npos);
}

TEST_F(Server, ABodyOver64KiBIsToldToTheHandlerAndEndsTheConnection) {
    start(options());
    test::RawClient fits(port);
    fits.send("POST /t HTTP/1.1\r\nContent-Length: 65536\r\n\r\n" + std::string(kBodyBytesMax, 'b'));
    EXPECT_TRUE(fits.read_answer().starts_with("HTTP/1.1 200"));
    test::RawClient declared(port);
    declared.send("POST /t HTTP/1.1\r\nContent-Length: 65537\r\n\r\n");
    EXPECT_TRUE(declared.read_all().ends_with("too large"));
    test::RawClient chunked(port);
    chunked.send("POST /t HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n20000\r\n" + std::string(0x20000, 'b') +
                 "\r\n0\r\n\r\n");
    EXPECT_TRUE(chunked.read_all().ends_with("too large"));
}

TEST_F(Server, AsksForTheBodyWhenTheClientExpectsIt) {
    start(options());
    test::RawClient client(port);
    client.send("POST /t HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    EXPECT_EQ(client.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    client.send("hi");
    EXPECT_TRUE(client.read_answer().ends_with("POST /t hi|2"));
}

TEST_F(Server, HeadHasNoBody) {
    start(options());
    test::RawClient client(port);
    client.send("HEAD /t HTTP/1.1\r\nConnection: close\r\n\r\n");
    EXPECT_TRUE(client.read_all().ends_with("\r\n\r\n"));
}

TEST_F(Server, AReplyThatIsDroppedIsA500) {
    start(options());
    test::RawClient client(port);
    client.send("GET /drop HTTP/1.1\r\n\r\n");
    const auto answer = client.read_answer();
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 500"));
    EXPECT_TRUE(answer.ends_with("refused")) << answer;
}

TEST_F(Server, ASlowSenderIsCut) {
    auto o = options();
    o.session.request = 50ms;
    start(std::move(o));
    test::RawClient client(port);
    client.send("GET /t HTT");
    EXPECT_EQ(client.read_all(), "");
}

TEST_F(Server, AnIdleConnectionIsEndedInTime) {
    auto o = options();
    o.session.idle = 50ms;
    start(std::move(o));
    test::RawClient client(port);
    client.send(kGet);
    EXPECT_TRUE(client.read_answer().starts_with("HTTP/1.1 200"));
    EXPECT_EQ(client.read_all(), "");
}

TEST_F(Server, StopAnswersWhatIsUnderWayAndEndsTheRest) {
    start(options());
    test::RawClient idle(port), busy(port);
    idle.send(kGet);
    idle.read_answer();
    busy.send("GET /later HTTP/1.1\r\n\r\n");
    arrived.get_future().wait();
    auto stopped = std::async(std::launch::async, [&] { return server->stop(10s); });
    EXPECT_EQ(idle.read_all(), "");
    kept.at(0).send(text("at last"));
    const auto answer = busy.read_all();
    EXPECT_TRUE(answer.ends_with("at last")) << answer;
    EXPECT_NE(answer.find("Connection: close"), std::string::npos);
    EXPECT_TRUE(stopped.get());
    EXPECT_THROW(test::RawClient late(port), std::runtime_error);
}

TEST_F(Server, StopTellsWhenAnAnswerIsMissing) {
    start(options());
    test::RawClient busy(port);
    busy.send("GET /later HTTP/1.1\r\n\r\n");
    arrived.get_future().wait();
    EXPECT_FALSE(server->stop(10ms));
    server.reset();
    kept.at(0).send(text("nobody is there"));  // must not crash
    EXPECT_EQ(busy.read_all(), "");
}

TEST_F(Server, StopAgainWaitsForTheAnswersThatWereMissing) {
    start(options());
    test::RawClient busy(port);
    busy.send("GET /later HTTP/1.1\r\n\r\n");
    arrived.get_future().wait();
    EXPECT_FALSE(server->stop(10ms));
    EXPECT_FALSE(server->stop(10ms)) << "the answer is still missing";
    auto stopped = std::async(std::launch::async, [&] { return server->stop(20s); });
    kept.at(0).send(text("at last"));
    EXPECT_TRUE(busy.read_all().ends_with("at last"));
    EXPECT_TRUE(stopped.get());
}

TEST_F(Server, ManyIdleConnectionsOnSeveralLoops) {
    auto o = options();
    o.loops = 2;
    start(std::move(o));
    std::vector<std::unique_ptr<test::RawClient>> clients;
    for (int i = 0; i < 300; ++i) {
        clients.push_back(std::make_unique<test::RawClient>(port));
        clients.back()->send(kGet);
        ASSERT_TRUE(clients.back()->read_answer().starts_with("HTTP/1.1 200"));
    }
    EXPECT_EQ(server->connections(), 300U);
}

TEST_F(Server, ConnectionsPastTheLimitAreRefused) {
    auto o = options();
    o.connections_max = 1;
    start(std::move(o));
    test::RawClient first(port);
    first.send(kGet);
    first.read_answer();
    test::RawClient second(port);
    EXPECT_EQ(second.read_all(), "");
}

// No descriptor is free: who comes then waits, is not lost, and gets in as soon as there is one.
TEST_F(Server, WhoComesWhileDescriptorsAreOutIsAcceptedLater) {
    if (test::kAddressSanitizer)
        GTEST_SKIP() << "UBSan looks at objects through pipes, and takes their want for a bad object";
    start(options());
    test::RawClient first(port);
    first.send(kGet);
    first.read_answer();
    rlimit old{};
    ::getrlimit(RLIMIT_NOFILE, &old);
    test::RawClient late(port, [&] {
        const rlimit none{1, old.rlim_max};
        ::setrlimit(RLIMIT_NOFILE, &none);
    });
    for (int i = 0; i < 2; ++i) {  // the server's only loop has looked at its listener in between
        first.send(kGet);
        EXPECT_TRUE(first.read_answer().starts_with("HTTP/1.1 200"));
    }
    EXPECT_EQ(server->connections(), 1U);
    ::setrlimit(RLIMIT_NOFILE, &old);
    late.send(kGet);
    EXPECT_TRUE(late.read_answer().starts_with("HTTP/1.1 200"));
}

TEST_F(Server, RefusesToListenForOthersWithoutTls) {
    auto o = options();
    o.listen = {{"0.0.0.0", 0, ""}};
    const auto refused = HttpServer::start(o);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::bad_config);
    EXPECT_NE(refused.error().message.find("insecure: true"), std::string::npos);
    o.insecure = true;
    EXPECT_TRUE(HttpServer::start(o));
}

TEST_F(Server, ServesAUnixSocketWithItsMode) {
    const test::TempDir dir;
    auto o = options();
    ListenAddress address;
    address.path = dir / "s.sock";
    o.listen = {address};
    o.unix_mode = 0600;
    start(std::move(o));
    EXPECT_EQ(std::filesystem::status(address.path).permissions(), std::filesystem::perms(0600));
    const auto url = parse_url("unix:" + address.path);
    Request request;
    request.method = "GET";
    request.target = "/u";
    const auto answer = exchange(*url, request, {});
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer->body, "GET /u |2");
    auto second = options();
    second.listen = {address};
    EXPECT_FALSE(HttpServer::start(std::move(second))) << "a living socket was taken over";
    server.reset();
    EXPECT_FALSE(std::filesystem::exists(address.path));
}

}  // namespace
}  // namespace drover::net
