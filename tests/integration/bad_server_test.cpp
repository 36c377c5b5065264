// What is at the adb server's place and is none, or a bad one: an error on the phones it should have, and on no others.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <boost/json/parse.hpp>

#include "support/drover.hpp"
#include "unit/adb/server_fake.hpp"

namespace drover::test {
namespace {

using adb::test::FakeConnection;
using adb::test::FakeServer;
using testing::HasSubstr;

class BadServer : public testing::Test {
protected:
    // Rows of one phone that the server should have, and of two by TCP.
    void expect_one_error(FakeServer::Script script, const std::string& what) {
        const FakeServer server(std::move(script));
        const auto done = run_drover(
            {"exec", "--inventory", inventory, "--json", "--timeout", "8s", "--", "echo works"},
            {{"ADB_SERVER_SOCKET", fmt::format("tcp:127.0.0.1:{}", server.port())}, {"HOME", dir.path().string()}});
        const auto document = boost::json::parse(done.out);
        const auto& rows = document.at("rows").as_array();
        ASSERT_EQ(rows.size(), 3u) << done.out;
        EXPECT_EQ(rows[2].at("status").as_int64(), -1) << what << done.out;
        EXPECT_EQ(rows[2].at("attempts").as_int64(), 0) << what << done.out;
        EXPECT_NE(rows[2].at("error_msg").as_string(), "") << what;
        for (const std::size_t i : {0, 1}) EXPECT_EQ(rows[i].at("execute_msg").as_string(), "works\n") << what;
        EXPECT_EQ(done.code(), 20) << what << done.out;
        EXPECT_GT(server.connections(), 0) << "it was not even asked";
    }

    SimProcess sim{2};
    TempDir dir;
    const std::string inventory =
        dir.write("i.yaml", read_file(sim.inventory()) + "  - {id: bad, via: server, address: R58M123}\n").string();
};

TEST_F(BadServer, ALengthOfFiveDigits) {
    expect_one_error(
        [](FakeConnection& c) {
            c.request();
            c.send("OKAY12345R58M123\tdevice\n");
        },
        "five digits");
}

TEST_F(BadServer, ABanner) {
    expect_one_error([](FakeConnection& c) { c.send("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"); }, "a banner");
}

TEST_F(BadServer, NothingAtAll) {
    expect_one_error([](FakeConnection& c) { c.wait_closed(); }, "not a word");
    expect_one_error([](FakeConnection&) {}, "hangs up at once");
}

TEST_F(BadServer, ALengthThatIsNoNumber) {
    expect_one_error(
        [](FakeConnection& c) {
            c.request();
            c.send("OKAYzzzz");
            c.wait_closed();
        },
        "no number");
}

}  // namespace
}  // namespace drover::test
