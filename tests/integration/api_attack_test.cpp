// Bad input against the real server, from curl and bare sockets: the documented error, nothing has run, the server goes on.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <csignal>
#include <ctime>
#include <fstream>

#include "http/digest.hpp"
#include "http/signature.hpp"
#include "support/raw_client.hpp"
#include "support/serve.hpp"

namespace drover::test {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

const std::string kSync = "/v1/instances/sync-command";
const std::string kGood = R"({"command":"true","instance_ids":["vphone-0001"]})";

class Attack : public testing::Test {
protected:
    static void SetUpTestSuite() { sim_ = std::make_unique<SimProcess>(1); }
    static void TearDownTestSuite() { sim_.reset(); }

    std::uint16_t port() const {
        return static_cast<std::uint16_t>(std::stoi(serve.url().substr(serve.url().rfind(':') + 1)));
    }
    std::string head(const std::string& method = "POST", const std::string& target = kSync) const {
        return method + " " + target + " HTTP/1.1\r\nHost: x\r\nX-Auth-Token: " + home.token() +
               "\r\nX-Request-Id: 1\r\n";
    }
    std::string raw(const std::string& bytes) {
        RawClient client(port());
        client.send(bytes);
        return client.read_all();
    }
    void expect_refused(const CurlAnswer& answer, int status, const std::string& code, const std::string& what) {
        EXPECT_EQ(answer.status, status) << what << ": " << answer.body;
        EXPECT_THAT(answer.body, HasSubstr("\"error_code\":\"" + code + "\"")) << what;
    }
    // Nothing has run so far, and the next good call does.
    void TearDown() override {
        const auto metrics = curl({"-H", "X-Auth-Token: " + home.token(), serve.url() + "/metrics"});
        EXPECT_THAT(metrics.body, HasSubstr("drover_row_seconds_count 0\n")) << "something has run";
        EXPECT_EQ(call(home, serve, kSync, kGood).status, 200);
        EXPECT_EQ(serve.stop(), 0);
    }

    static std::unique_ptr<SimProcess> sim_;
    ServeHome home;
    std::string quiet = home.dir().write("quiet.yaml", "version: 1\nlog: {level: error}\n").string();
    ServeProcess serve{home, sim_->inventory(), {"--config", quiet}};
};
std::unique_ptr<SimProcess> Attack::sim_;

TEST_F(Attack, BodiesThatAreNotTheDocumentedOne) {
    const std::string id33(33, 'a');
    std::string ids;
    for (int i = 0; i < 101; ++i) ids += (i ? ",\"" : "\"") + std::to_string(i) + "\"";
    const std::vector<std::string> bodies{
        "",
        "{",
        "[]",
        "null",
        "\"text\"",
        kGood + " x",
        kGood + kGood,
        R"({"command":"true"})",
        R"({"instance_ids":["vphone-0001"]})",
        R"({"command":null,"instance_ids":["vphone-0001"]})",
        R"({"command":["true"],"instance_ids":["vphone-0001"]})",
        R"({"command":"true","instance_ids":"vphone-0001"})",
        R"({"command":"true","instance_ids":{"0":"vphone-0001"}})",
        R"({"command":"true","instance_ids":[1]})",
        R"({"command":"true","instance_ids":[null]})",
        R"({"command":"true","instance_ids":[]})",
        R"({"command":"true","instance_ids":[")" + id33 + "\"]}",
        R"({"command":"true","instance_ids":[)" + ids + "]}",
        R"({"command":"","instance_ids":["vphone-0001"]})",
        R"({"command":")" + std::string(1025, 'a') + R"(","instance_ids":["vphone-0001"]})",
        R"({"command":"a\u0000b","instance_ids":["vphone-0001"]})",
        R"({"command":"a\nb","instance_ids":["vphone-0001"]})",
        "{\"command\":\"true\xff\",\"instance_ids\":[\"vphone-0001\"]}",
        "{\"command\":\"true\",\"instance_ids\":[\"vphone-0001\xc3\"]}",
        "{\"command\":\"true\\ud800\",\"instance_ids\":[\"vphone-0001\"]}",
        "\xef\xbb\xbf" + kGood,
        std::string(1000, '['),
        std::string(70'000, ' ') + kGood,
    };
    for (const auto& body : bodies) {
        for (const std::string call_name : {"sync-command", "async-command"}) {
            const auto answer = curl(
                {"-H", "X-Auth-Token: " + home.token(), "-H", "x-request-id: 1", "-H", "Content-Type: application/json",
                 "--data-binary", "@-", serve.url() + "/v1/instances/" + call_name},
                body);
            expect_refused(answer, 400, "KOOPHONE.API.1000", call_name + " " + body.substr(0, 100));
        }
    }
}

TEST_F(Attack, EveryForbiddenCharacter) {
    // One connection for all of them, as an attacker would.
    RawClient client(port());
    for (const char c : std::string("\t\r;|&$<>*?~=,()'\"`!#%^{}[]\\@+")) {
        const std::string escaped = c == '"' || c == '\\' ? std::string("\\") + c
                                    : c == '\t'           ? "\\t"
                                    : c == '\r'           ? "\\r"
                                                          : std::string(1, c);
        const auto body = R"({"command":"true )" + escaped + R"(x","instance_ids":["vphone-0001"]})";
        client.send(head() + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
        const auto answer = client.read_answer();
        EXPECT_THAT(answer, StartsWith("HTTP/1.1 400")) << c;
        EXPECT_THAT(answer, HasSubstr("byte 5")) << c;
    }
}

TEST_F(Attack, InstancesThatAreNobodysOrSomebodyElses) {
    expect_refused(call(home, serve, kSync, R"({"command":"true","instance_ids":["vphone-0001","nobody"]})"), 400,
                   "KOOPHONE.API.1001", "one unknown among known");
    const auto made = home.drover({"token", "add", "other", "--instances", "label:none=x"});
    ASSERT_EQ(made.code(), 0) << made.err;
    serve.process().signal(SIGHUP);
    const auto token = made.out.substr(0, made.out.size() - 1);
    const auto ask = [&] {
        return curl({"-H", "X-Auth-Token: " + token, "-H", "x-request-id: 1", "-d", kGood, serve.url() + kSync});
    };
    auto answer = ask();
    const auto until = std::chrono::steady_clock::now() + kWaitMax;
    while (answer.status == 401 && std::chrono::steady_clock::now() < until) answer = ask();
    expect_refused(answer, 400, "KOOPHONE.API.1001", "foreign");
}

TEST_F(Attack, Tokens) {
    const auto with = [&](const std::string& token) {
        RawClient client(port());
        client.send("GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Auth-Token: " + token + "\r\n\r\n");
        return client.read_all();
    };
    EXPECT_THAT(with(std::string(16'384, 'x')), StartsWith("HTTP/1.1 401"));
    EXPECT_THAT(with(std::string(16'385, 'x')), StartsWith("HTTP/1.1 401"));
    EXPECT_THAT(with(std::string(24 * 1024, 'x')), StartsWith("HTTP/1.1 431"));
    EXPECT_THAT(with(""), StartsWith("HTTP/1.1 401"));
    EXPECT_THAT(raw("GET /metrics HTTP/1.1\r\nConnection: close\r\nX-Auth-Token: " + home.token() +
                    "\r\nX-Auth-Token: " + home.token() + "\r\n\r\n"),
                StartsWith("HTTP/1.1 401"));
    std::string many = "GET /metrics HTTP/1.1\r\n";
    for (int i = 0; i < 2'000; ++i) many += "X-" + std::to_string(i) + ": 0123456789\r\n";
    EXPECT_THAT(raw(many + "\r\n"), StartsWith("HTTP/1.1 431"));
}

TEST_F(Attack, ATokenOfTheLongestLengthIsGood) {
    const std::string token(16'384, 'k');
    std::string hex;
    for (const auto byte : http::sha256(token)) hex += fmt::format("{:02x}", byte);
    const auto file = home.dir() / ".local/state/drover/tokens.yaml";
    std::ofstream(file, std::ios::app) << "  - tenant: long\n    sha256: '" << hex << "'\n    instances: all\n";
    serve.process().signal(SIGHUP);
    const auto status = [&] {
        RawClient client(port());
        client.send("GET /metrics HTTP/1.1\r\nConnection: close\r\nX-Auth-Token: " + token + "\r\n\r\n");
        return client.read_all().substr(0, 12);
    };
    auto answer = status();
    const auto until = std::chrono::steady_clock::now() + kWaitMax;
    while (answer == "HTTP/1.1 401" && std::chrono::steady_clock::now() < until) answer = status();
    EXPECT_EQ(answer, "HTTP/1.1 200");
}

TEST_F(Attack, PathTricks) {
    const auto status = [&](const std::string& target) {
        return raw(head("GET", target) + "Connection: close\r\n\r\n").substr(9, 3);
    };
    for (const std::string target :
         {"/v1%2Finstances%2Ftasks%2Fx", "/v1/instances/../instances/tasks/x", "/v1/instances/tasks/", "//metrics",
          "/metrics/x", "/METRICS", "/metrics%00", "/metrics%0a", "/%2e%2e/metrics", "/drover/v1/calls/%2F/x"}) {
        EXPECT_EQ(status(target), "404") << target;
    }
    for (const std::string target :
         {"/v1/instances/tasks/..", "/v1/instances/tasks/%2e%2e%2f%2e%2e", "/v1/instances/tasks/a%2Fb"})
        EXPECT_EQ(status(target), "400") << target;
    for (const std::string target : {"/metrics%zz", "/metrics%", "metrics", "*"})
        EXPECT_THAT(status(target), testing::AnyOf("400", "404")) << target;
    EXPECT_THAT(raw(std::string("GET /me") + '\0' + "trics HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 400"));
    EXPECT_EQ(raw(head("DELETE", kSync) + "Connection: close\r\n\r\n").substr(9, 3), "405");
    EXPECT_EQ(raw(head("post", kSync) + "Connection: close\r\n\r\n").substr(9, 3), "405");
}

TEST_F(Attack, WireTricks) {
    EXPECT_THAT(raw(head("GET", "/metrics") + "\r\n" + "\x16\x03\x01 garbage\r\n\r\n"), HasSubstr("HTTP/1.1 400"));
    EXPECT_THAT(raw("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), StartsWith("HTTP/1.1 400"));
    EXPECT_THAT(raw(head() + "Content-Length: 5\r\nContent-Length: 6\r\n\r\n123456"), StartsWith("HTTP/1.1 400"));
    EXPECT_THAT(raw(head() + "Content-Length: -1\r\n\r\n"), StartsWith("HTTP/1.1 400"));
    EXPECT_THAT(raw(head() + "Content-Length: 99999999999999999999\r\n\r\n"), StartsWith("HTTP/1.1 400"));
    EXPECT_THAT(raw(head() + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
                StartsWith("HTTP/1.1 400"));
    EXPECT_THAT(raw(head() + "Transfer-Encoding: chunked\r\n\r\nzz\r\n"), StartsWith("HTTP/1.1 400"));
    EXPECT_THAT(
        raw(head() + "Transfer-Encoding: chunked\r\n\r\n20000\r\n" + std::string(0x20000, ' ') + "\r\n0\r\n\r\n"),
        HasSubstr("larger than 64 KiB"));
    EXPECT_THAT(raw(head() + "X-Evil: a\x01"
                             "b\r\n\r\n"),
                StartsWith("HTTP/1.1 400"));
    // A slow sender in pieces, with a wait for the go-ahead, is a good client.
    RawClient slow(port());
    const std::string body = R"({"instance_ids":["vphone-0001"]})";
    slow.send(head("POST", "/v1/instances/batch-query-status") +
              "Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n");
    EXPECT_EQ(slow.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    for (const char c : body) slow.send("1\r\n" + std::string(1, c) + "\r\n");
    slow.send("0\r\n\r\n");
    EXPECT_THAT(slow.read_answer(), StartsWith("HTTP/1.1 200"));
}

// A key that is good, so that only what is wrong with a request is left to refuse.
class SignedAttack : public Attack {
protected:
    SignedAttack() {
        const auto keys =
            home.dir().write(".local/state/drover/access_keys.yaml",
                             "version: 1\naccess_keys:\n  - {tenant: farm, access: AKTEST, secret: SKTEST, "
                             "instances: all}\n");
        EXPECT_EQ(::chmod(keys.c_str(), 0600), 0);
        serve.process().signal(SIGHUP);
    }
    static std::string date(std::chrono::seconds from_now) {
        const auto when = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now() + from_now);
        std::tm utc{};
        ::gmtime_r(&when, &utc);
        char text[32];
        (void)std::strftime(text, sizeof text, "%Y%m%dT%H%M%SZ", &utc);
        return text;
    }
    CurlAnswer send(const std::string& when, const std::string& algorithm = "SDK-HMAC-SHA256") {
        net::Request request;
        request.method = "POST";
        request.target = "/v1/instances/batch-query-status";
        request.body = R"({"instance_ids":["vphone-0001"]})";
        request.headers = {{"Host", serve.url().substr(7)}, {"X-Sdk-Date", when}};
        const std::vector<std::string> names{"host", "x-sdk-date"};
        const auto canonical = http::canonical_request(request, names);
        const auto signature = http::to_hex(http::signature_of(*canonical, when, "SKTEST"));
        return curl(
            {"-H",
             "Authorization: " + algorithm + " Access=AKTEST, SignedHeaders=host;x-sdk-date, Signature=" + signature,
             "-H", "X-Sdk-Date: " + when, "-d", request.body, serve.url() + request.target});
    }
};

TEST_F(SignedAttack, SignaturesThatAreOldOrOfAnotherKind) {
    using namespace std::chrono_literals;
    const auto until = std::chrono::steady_clock::now() + kWaitMax;
    auto good = send(date(0s));
    while (good.status != 200 && std::chrono::steady_clock::now() < until) good = send(date(0s));
    ASSERT_EQ(good.status, 200) << good.body;
    for (const auto off : {-16min, 16min}) {
        const auto answer = send(date(off));
        expect_refused(answer, 401, "APIGW.0301", "a good signature outside the window");
        EXPECT_THAT(answer.body, Not(HasSubstr("does not match")));
    }
    for (const std::string algorithm :
         {"SDK-HMAC-SM3", "SDK-HMAC-SHA512", "sdk-hmac-sha256", "AWS4-HMAC-SHA256", "Basic", "Bearer x"})
        expect_refused(send(date(0s), algorithm), 401, "APIGW.0301", algorithm);
    expect_refused(send("x"), 401, "APIGW.0301", "no date");
    EXPECT_EQ(send(date(0s)).status, 200) << "the peer that failed is not locked out";
}

}  // namespace
}  // namespace drover::test
