// Bodies that are streamed: what the wire shows, who is told of a peer that goes or does not read.
#include "net/http_stream.hpp"

#include <gtest/gtest.h>

#include <future>
#include <mutex>

#include "net/http_client.hpp"
#include "net/http_server.hpp"
#include "support/raw_client.hpp"
#include "support/temp_dir.hpp"

namespace drover::net {
namespace {

using namespace std::chrono_literals;

// Outlives the server: hooks of a stream may come until that has ended.
struct Seen {
    std::promise<void> gone, drained;
    std::once_flag drained_once;  // a reader may be quick enough for many times
};

class Stream : public ::testing::Test {
protected:
    ServerOptions options() {
        ServerOptions o;
        o.listen = {{"127.0.0.1", 0, ""}};
        o.session.handler = [this](const Request& request, const Reply& reply) {
            if (request.target == "/plain") {
                Response r;
                r.body = "plain";
                return reply.send(std::move(r));
            }
            Response r;
            r.headers.push_back({"Content-Type", "text/event-stream"});
            r.stream = std::make_shared<BodyStream>(
                BodyStream::Hooks{
                    [seen = seen] { seen->gone.set_value(); },
                    [seen = seen] { std::call_once(seen->drained_once, [&] { seen->drained.set_value(); }); }},
                ": still here\n\n");
            body.set_value(r.stream);
            reply.send(std::move(r));
        };
        o.session.refusal = [](int status) {
            Response r;
            r.status = status;
            return r;
        };
        return o;
    }
    void start(ServerOptions o) {
        auto started = HttpServer::start(std::move(o));
        ASSERT_TRUE(started) << started.error().message;
        server = std::move(*started);
        port = server->addresses()[0].port;
    }
    Url url() const { return *parse_url("http://127.0.0.1:" + std::to_string(port)); }
    std::shared_ptr<BodyStream> next_body() { return body.get_future().get(); }

    std::shared_ptr<Seen> seen = std::make_shared<Seen>();
    std::promise<std::shared_ptr<BodyStream>> body;
    std::unique_ptr<HttpServer> server;
    std::uint16_t port = 0;
};

constexpr std::string_view kStreamGet = "GET /s HTTP/1.1\r\nHost: x\r\n\r\n";
constexpr std::string_view kHead =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";

TEST_F(Stream, PiecesAreChunksAndTheConnectionGoesOn) {
    start(options());
    test::RawClient client(port);
    client.send(kStreamGet);
    const auto stream = next_body();
    EXPECT_EQ(client.read_until("\r\n\r\n"), kHead);
    EXPECT_EQ(stream->write("hello"), BodyStream::Written::taken);
    EXPECT_EQ(client.read_until("hello\r\n"), "5\r\nhello\r\n");
    stream->write("0123456789abcdef");
    stream->end();
    EXPECT_EQ(client.read_until("0\r\n\r\n"), "10\r\n0123456789abcdef\r\n0\r\n\r\n");
    client.send("GET /plain HTTP/1.1\r\n\r\n");
    EXPECT_TRUE(client.read_answer().ends_with("plain"));
    EXPECT_EQ(stream->write("late"), BodyStream::Written::gone);
}

TEST_F(Stream, ANextRequestThatComesEarlyIsAnsweredAfterwards) {
    start(options());
    test::RawClient client(port);
    client.send(std::string(kStreamGet) + "GET /plain HTTP/1.1\r\n\r\n");
    const auto stream = next_body();
    stream->write("x");
    stream->end();
    EXPECT_EQ(client.read_until("0\r\n\r\n"), std::string(kHead) + "1\r\nx\r\n0\r\n\r\n");
    EXPECT_TRUE(client.read_answer().ends_with("plain"));
}

TEST_F(Stream, AnOldClientGetsItPlainUntilTheClose) {
    start(options());
    test::RawClient client(port);
    client.send("GET /s HTTP/1.0\r\n\r\n");
    const auto stream = next_body();
    stream->write("one ");
    stream->write("two");
    stream->end();
    EXPECT_TRUE(client.read_all().ends_with("\r\n\r\none two"));
}

TEST_F(Stream, APeerThatClosesHasGone) {
    start(options());
    std::shared_ptr<BodyStream> stream;
    {
        test::RawClient client(port);
        client.send(kStreamGet);
        stream = next_body();
        EXPECT_EQ(client.read_until("\r\n\r\n"), kHead);
    }
    seen->gone.get_future().wait();
    EXPECT_EQ(stream->write("x"), BodyStream::Written::gone);
}

TEST_F(Stream, AStreamOfAServerThatEndsHasGone) {
    start(options());
    test::RawClient client(port);
    client.send(kStreamGet);
    const auto stream = next_body();
    EXPECT_FALSE(server->stop(10ms));
    server.reset();
    seen->gone.get_future().wait();
}

TEST_F(Stream, AQuietStreamShowsThatItLives) {
    auto o = options();
    o.session.heartbeat = 20ms;
    start(std::move(o));
    test::RawClient client(port);
    client.send(kStreamGet);
    const auto stream = next_body();
    EXPECT_EQ(client.read_until("still here\n\n\r\n").substr(kHead.size()), "e\r\n: still here\n\n\r\n");
    EXPECT_NE(client.read_until("still here\n\n\r\n"), "");
    stream->end();
    EXPECT_NE(client.read_until("0\r\n\r\n"), "");
}

TEST_F(Stream, AHostThatVanishesWithoutAWordHasGone) {
    auto o = options();
    o.session.heartbeat = 20ms;
    o.session.unacked = 200ms;
    start(std::move(o));
    test::RawClient client(port);
    client.send(kStreamGet);
    const auto stream = next_body();
    EXPECT_NE(client.read_until("still here\n\n\r\n"), "");
    if (!client.vanish()) GTEST_SKIP() << "no socket filters here";
    EXPECT_EQ(seen->gone.get_future().wait_for(test::kWaitMax), std::future_status::ready);
}

TEST_F(Stream, AWriterIsToldToWaitAndWhenToGoOn) {
    start(options());
    test::RawClient client(port);
    client.send("GET /s HTTP/1.1\r\nConnection: close\r\n\r\n");
    const auto stream = next_body();
    const std::string piece(BodyStream::kHighBytes, 'x');
    // More than socket buffers take unread.
    auto answer = BodyStream::Written::taken;
    for (int i = 0; i < 16; ++i) answer = stream->write(piece);
    EXPECT_EQ(answer, BodyStream::Written::full);
    stream->end();
    EXPECT_TRUE(client.read_all().ends_with("\r\n0\r\n\r\n"));
    seen->drained.get_future().wait();
}

TEST_F(Stream, AReaderThatDoesNotReadIsCutAtTheLimit) {
    start(options());
    test::RawClient client(port);
    client.send(kStreamGet);
    const auto stream = next_body();
    const std::string piece(4 * 1024 * 1024, 'x');
    std::size_t pieces = 0;
    while (stream->write(piece) != BodyStream::Written::gone) ++pieces;
    EXPECT_GE(pieces * piece.size(), BodyStream::kQueuedBytesMax - piece.size());
    seen->gone.get_future().wait();
    EXPECT_EQ(client.read_all().find("\r\n0\r\n\r\n"), std::string::npos) << "half a body looked like a whole one";
}

TEST_F(Stream, TheClientReadsPieceByPiece) {
    start(options());
    std::promise<std::string> first;
    auto reading = std::async(std::launch::async, [&] {
        HttpStream stream(url(), {});
        Request request;
        request.method = "GET";
        request.target = "/s";
        const auto head = stream.open(request);
        EXPECT_TRUE(head) << head.error().message;
        if (!head) return std::string();
        EXPECT_EQ(head->status, 200);
        std::string all;
        const auto read = stream.read([&](std::string_view piece) {
            if (all.empty()) first.set_value(std::string(piece));
            all += piece;
        });
        EXPECT_TRUE(read) << read.error().message;
        return all;
    });
    const auto stream = next_body();
    stream->write("first");
    EXPECT_EQ(first.get_future().get(), "first");
    stream->write(" second");
    stream->end();
    EXPECT_EQ(reading.get(), "first second");
}

Request get_stream() {
    Request request;
    request.method = "GET";
    request.target = "/s";
    return request;
}

TEST_F(Stream, TheClientGivesUpOnASilentServer) {
    start(options());
    HttpStream stream(url(), {.silence = 30ms});
    ASSERT_TRUE(stream.open(get_stream()));
    const auto read = stream.read([](std::string_view) {});
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, Code::server_unreachable);
}

TEST_F(Stream, TheClientCanBeCancelled) {
    start(options());
    HttpStream stream(url(), {});
    ASSERT_TRUE(stream.open(get_stream()));
    auto reading = std::async(std::launch::async, [&] { return stream.read([](std::string_view) {}); });
    stream.cancel();
    EXPECT_FALSE(reading.get());
}

TEST_F(Stream, ABodyEndsWithItsConnectionOnlyWhereThatIsAllowed) {
    start(options());
    HttpStream stream(url(), {});
    Request request;
    request.method = "GET";
    request.target = "/s";
    auto opened = std::async(std::launch::async, [&] { return stream.open(request); });
    next_body()->write("half");
    ASSERT_TRUE(opened.get());
    server.reset();
    EXPECT_FALSE(stream.read([](std::string_view) {})) << "half a body looked like a whole one";
}

}  // namespace
}  // namespace drover::net
