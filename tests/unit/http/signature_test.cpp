#include "http/signature.hpp"

#include <gtest/gtest.h>

#include "http/auth.hpp"
#include "http/uri.hpp"

namespace drover::http {
namespace {

using namespace std::chrono;
using namespace std::chrono_literals;

const auto kNow = sys_days(2024y / 1 / 1) + 0s;
constexpr std::string_view kBody = R"({"command":"ls -l /system","instance_ids":["a44uhlf7","efjy72gs"]})";

net::Request request(std::string method, std::string target, std::string body, const std::string& signature) {
    net::Request r;
    r.method = std::move(method);
    r.target = std::move(target);
    r.body = std::move(body);
    r.headers = {{"Host", "127.0.0.1:8080"},
                 {"X-Sdk-Date", "20240101T000000Z"},
                 {"Content-Type", "application/json"},
                 {"Authorization",
                  "SDK-HMAC-SHA256 Access=AKTEST, SignedHeaders=content-type;host;x-sdk-date, Signature=" + signature}};
    return r;
}
constexpr const char* kSignature1 = "47acc3734f69fd179b8bb28c1ae4752839b085b3f5df4de3f782a40c57cd2ff6";
net::Request vector_1() { return request("POST", "/v1/instances/sync-command", std::string(kBody), kSignature1); }

Authenticator authenticator() {
    auto tenant = std::make_shared<Tenant>();
    tenant->name = "t";
    return Authenticator({}, {{"AKOTHER", "x", tenant}, {"AKTEST", "SKTEST", tenant}});
}
bool good(const net::Request& r, system_clock::time_point now = kNow) {
    return authenticator().judge(r, now).has_value();
}

void set(net::Request& r, std::string_view name, std::string value) {
    for (auto& h : r.headers) {
        if (net::same_header_name(h.name, name)) h.value = std::move(value);
    }
}

TEST(Signature, CheckVector1CanonicalForm) {
    const auto canonical = canonical_request(vector_1(), {"content-type", "host", "x-sdk-date"});
    ASSERT_TRUE(canonical);
    EXPECT_EQ(to_hex(sha256(*canonical)), "018d873eaab662737329e7a80a2bbf3532c2018b70ae89dbcac77fb2afb0c26a");
}

TEST(Signature, CheckVectors) {
    EXPECT_TRUE(good(vector_1()));
    EXPECT_TRUE(good(request("GET", "/v3/sources/f32ab4d6-d150-4fb3-aa55-edbb5cf9947f/command", "",
                             "12468f3aa5b37bc0d36343ee72e24799e9b194c09e12677c2b4d72b425f3bef1")));
    EXPECT_TRUE(good(request("GET", "/v1/instances/batch-query?instance_name=a%20b%2Fc&page_no=1&page_size=10", "",
                             "832d1a1aa9f3de659ac9cc575dc88e82bf9f4a585cb7d20c3c1df2aec29d4607")));
    EXPECT_TRUE(good(request("GET", "/v3/sources/a%20b%2Fc/command", "",
                             "ada6d713b688175bbf321240c0a8452cf2491a0cca0df8e93659b38cc85786dc")));
}

TEST(Signature, AnyOtherRequestNeedsAnotherSignature) {
    auto r = vector_1();
    r.body += " ";
    EXPECT_FALSE(good(r));
    r = vector_1();
    r.method = "PUT";
    EXPECT_FALSE(good(r));
    r = vector_1();
    r.target += "?a=b";
    EXPECT_FALSE(good(r));
    r = vector_1();
    set(r, "Host", "other");
    EXPECT_FALSE(good(r));
    r = vector_1();
    r.headers.push_back({"Host", "127.0.0.1:8080"});
    EXPECT_FALSE(good(r)) << "a signed header twice";
    r = vector_1();
    set(r, "Content-Type", "  application/json\t");
    EXPECT_TRUE(good(r)) << "values are trimmed";
}

TEST(Signature, TheClockMayBe15MinutesOff) {
    EXPECT_TRUE(good(vector_1(), kNow + 15min));
    EXPECT_TRUE(good(vector_1(), kNow - 15min));
    EXPECT_FALSE(good(vector_1(), kNow + 15min + 1s)) << "a replay after the window";
    EXPECT_FALSE(good(vector_1(), kNow - 15min - 1s));
    for (const char* date : {"40480202T000000Z", "99991231T235959Z", "", "20240101T000000", "20240101 000000Z",
                             "2024-01-01T00:00:00Z", "20241301T000000Z", "20240101T240000Z", "2024010aT000000Z"}) {
        auto r = vector_1();
        set(r, "X-Sdk-Date", date);
        EXPECT_FALSE(good(r)) << date;
    }
}

TEST(Signature, MalformedAuthorizationIsRefused) {
    const std::string s = kSignature1;
    for (const std::string& text : std::vector<std::string>{
             std::string(), std::string("SDK-HMAC-SHA256"),
             "SDK-HMAC-SHA512 Access=AKTEST, SignedHeaders=host;x-sdk-date, Signature=" + s,
             "AWS4-HMAC-SHA256 Access=AKTEST, SignedHeaders=host;x-sdk-date, Signature=" + s,
             "SDK-HMAC-SHA256 Access=AKTEST, SignedHeaders=content-type;x-sdk-date, Signature=" + s,
             "SDK-HMAC-SHA256 Access=AKTEST, SignedHeaders=content-type;host, Signature=" + s,
             "SDK-HMAC-SHA256 Access=AKTEST, SignedHeaders=content-type;host;x-sdk-date",
             "SDK-HMAC-SHA256 Access=AKTEST, SignedHeaders=content-type;host;x-sdk-date, Signature=" + s.substr(1),
             "SDK-HMAC-SHA256 Access=AKTEST, Access=AKTEST, SignedHeaders=content-type;host;x-sdk-date, Signature=" + s,
             "SDK-HMAC-SHA256 Access=NOBODY, SignedHeaders=content-type;host;x-sdk-date, Signature=" + s,
             "SDK-HMAC-SHA256 Access=AKTEST, SignedHeaders=content-type;host;x-sdk-date;x-missing, Signature=" + s,
             std::string("Basic YTpi"), std::string("SDK-HMAC-SHA256 ,,,,"),
             std::string("SDK-HMAC-SHA256 ") + std::string(5000, ';')}) {
        auto r = vector_1();
        set(r, "Authorization", text);
        EXPECT_FALSE(good(r)) << text;
    }
}

TEST(Signature, AnUnsignedPayloadIsRefused) {
    auto r = vector_1();
    r.headers.push_back({"X-Sdk-Content-Sha256", "UNSIGNED-PAYLOAD"});
    EXPECT_FALSE(good(r));
    r.headers.back().value = to_hex(sha256(kBody));
    EXPECT_TRUE(good(r));
}

TEST(Token, IsKnownByItsDigestUpTo16KiB) {
    auto tenant = std::make_shared<Tenant>();
    tenant->name = "big";
    const std::string token(kTokenBytesMax, 'x');
    const Authenticator auth({{sha256("other"), tenant}, {sha256(token), tenant}}, {});
    net::Request r;
    const auto with = [&](std::string value) {
        r.headers = {{"x-auth-token", std::move(value)}};
        return auth.judge(r, kNow).has_value();
    };
    EXPECT_TRUE(with(token));
    EXPECT_TRUE(with("other"));
    EXPECT_FALSE(with(token + "x"));
    EXPECT_FALSE(with(""));
    EXPECT_FALSE(with("Other"));
    r.headers = {{"X-Auth-Token", "other"}, {"X-Auth-Token", "other"}};
    EXPECT_FALSE(auth.judge(r, kNow));
    r.headers.clear();
    EXPECT_FALSE(auth.judge(r, kNow));
    r.local = true;
    ASSERT_TRUE(auth.judge(r, kNow)) << "whoever may open the Unix socket needs no token";
    EXPECT_TRUE(auth.judge(r, kNow)->tenant->may_use("anything"));
    r.headers = {{"X-Auth-Token", "wrong"}};
    EXPECT_FALSE(auth.judge(r, kNow)) << "a wrong token is wrong there too";
}

TEST(Uri, PartsAreDecodedAfterTheSplit) {
    EXPECT_EQ(path_parts("/v3/sources/a%20b%2Fc/command"),
              (std::vector<std::string>{"v3", "sources", "a b/c", "command"}));
    EXPECT_EQ(path_parts("/a/../b"), (std::vector<std::string>{"a", "..", "b"}));
    for (const char* bad : {"/a%00b", "/a%0ab", "/a%2", "/a%zz", "a/b"}) EXPECT_FALSE(path_parts(bad)) << bad;
    EXPECT_EQ(split_target("http://h:1/p?q=1")->path, "/p");
    EXPECT_EQ(split_target("http://h")->path, "/");
    EXPECT_FALSE(split_target("*"));
    EXPECT_EQ(canonical_query("b=2&a=%2f&b=1&c"), "a=%2F&b=1&b=2&c=");
    EXPECT_EQ(canonical_path("/a%2Fb c"), "/a/b%20c/");
}

}  // namespace
}  // namespace drover::http
