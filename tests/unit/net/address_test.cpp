#include "net/address.hpp"

#include <gtest/gtest.h>

#include "net/http_message.hpp"

namespace drover::net {
namespace {

TEST(Address, ReadsWhatItWrites) {
    for (const char* text :
         {"127.0.0.1:8090", "[::1]:8090", "localhost:0", "unix:/run/drover/drover.sock", "0.0.0.0:65535"}) {
        const auto a = parse_listen_address(text);
        ASSERT_TRUE(a) << text;
        EXPECT_EQ(to_string(*a), text);
    }
}

TEST(Address, RefusesWhatIsNone) {
    for (const char* text : {"", ":80", "host", "host:", "host:65536", "host:-1", "host:8x", "::1:80", "[::1",
                             "[unix]:80", "[]:80", "unix:", "unix:relative", "a b:1"}) {
        EXPECT_FALSE(parse_listen_address(text)) << text;
    }
    EXPECT_FALSE(parse_listen_address("unix:/" + std::string(kUnixPathBytesMax, 'a')));
}

TEST(Address, KnowsLoopback) {
    for (const char* text : {"127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "localhost:1", "unix:/x"})
        EXPECT_TRUE(is_loopback(*parse_listen_address(text))) << text;
    for (const char* text : {"0.0.0.0:1", "[::]:1", "10.0.0.1:1", "example.com:1"})
        EXPECT_FALSE(is_loopback(*parse_listen_address(text))) << text;
}

TEST(Url, Parts) {
    const auto plain = parse_url("http://farm:8090/a/b/");
    ASSERT_TRUE(plain);
    EXPECT_FALSE(plain->tls);
    EXPECT_EQ(plain->base_path, "/a/b");
    EXPECT_EQ(plain->host_header(), "farm:8090");
    const auto secure = parse_url("https://farm");
    ASSERT_TRUE(secure);
    EXPECT_TRUE(secure->tls);
    EXPECT_EQ(secure->address.port, 443);
    EXPECT_EQ(secure->host_header(), "farm");
    EXPECT_EQ(parse_url("unix:/run/x")->address.path, "/run/x");
    for (const char* text : {"farm:8090", "ftp://x", "http://", "http://user:pw@x", "http://x/?q", "http://x y"})
        EXPECT_FALSE(parse_url(text)) << text;
    for (const char control : {'\0', '\r', '\n', '\t', '\x1b', '\x7f'})
        EXPECT_FALSE(parse_url(std::string("http://x/a") + control)) << int{control};
}

TEST(Message, AHeaderWithALineBreakIsLeftOut) {
    Response r;
    r.headers = {{"X-Good", "yes"}, {"X-Bad", "a\r\nSet-Cookie: b"}};
    r.body = "b";
    EXPECT_EQ(to_wire(r, {}), "HTTP/1.1 200 OK\r\nX-Good: yes\r\nContent-Length: 1\r\n\r\nb");
}

TEST(Message, FindsHeadersInAnyCase) {
    Request r;
    r.headers = {{"X-Auth-Token", "1"}, {"x-auth-token", "2"}};
    ASSERT_TRUE(r.header("x-AUTH-token"));
    EXPECT_EQ(*r.header("x-AUTH-token"), "1");
    EXPECT_EQ(r.count("X-Auth-Token"), 2U);
    EXPECT_EQ(r.header("x-auth"), nullptr);
}

}  // namespace
}  // namespace drover::net
