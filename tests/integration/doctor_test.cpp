// `drover doctor`: the real program on virtual phones, with and without an adb server.
#include <gmock/gmock.h>

#include <boost/json/parse.hpp>
#include <csignal>

#include "integration/adb_server.hpp"
#include "support/serve.hpp"

namespace drover::test {
namespace {

using ::testing::HasSubstr;

const boost::json::object& finding(const boost::json::value& document, std::string_view topic) {
    for (const auto& f : document.at("findings").as_array()) {
        if (f.at("topic").as_string() == topic) return f.as_object();
    }
    throw std::runtime_error("no finding about " + std::string(topic));
}

TEST(DoctorCli, ListsPhonesThatWaitForATap) {
    SimProcess sim(2, {"--profile", DROVER_SOURCE_DIR "/devices/profiles/nobody.yaml"});
    const TempDir home;
    const auto r = run_drover({"doctor", "--inventory", sim.inventory(), "--json", "--connect-timeout", "20s"},
                              {{"HOME", home.path().string()}, {"ADB_SERVER_SOCKET", "tcp:127.0.0.1:9"}});
    const auto document = boost::json::parse(r.out);
    EXPECT_EQ(document.at("schema").as_int64(), 1);
    const auto& waiting = finding(document, "authorization");
    EXPECT_EQ(waiting.at("level").as_string(), "warning") << r.out;
    EXPECT_EQ(waiting.at("details").as_array().size(), 2u) << r.out;
    EXPECT_THAT(waiting.at("details").as_array().at(0).as_string().c_str(), HasSubstr("vphone-0001"));
    EXPECT_EQ(finding(document, "keys").at("level").as_string(), "warning");
    EXPECT_THAT(finding(document, "keys").at("fix").as_string().c_str(), HasSubstr("drover keygen"));
}

// With a static inventory alone nothing is probed before a command, so only the doctor can find this.
TEST(DoctorCli, FindsAPhoneThatIsInTheInventoryTwice) {
    const SimProcess sim(2);
    const TempDir dir;
    auto text = read_file(sim.inventory());
    const auto at = text.find("127.0.0.1:") + 10;
    const auto port = text.substr(at, text.find_first_not_of("0123456789", at) - at);
    const auto inventory =
        dir.write("twice.yaml", text + "  - {id: again, via: tcp, address: 'localhost:" + port + "'}\n");
    const EnvChanges env{{"HOME", dir.path().string()}, {"ADB_SERVER_SOCKET", "tcp:127.0.0.1:9"}};
    const auto twice = run_drover({"exec", "--inventory", inventory.string(), "--", "echo ran"}, env);
    EXPECT_THAT(twice.out, HasSubstr("again: ran")) << "documented: it gets each command twice";
    EXPECT_THAT(twice.out, HasSubstr("vphone-0001: ran"));
    const auto r = run_drover({"doctor", "--inventory", inventory.string(), "--json"}, env);
    const auto document = boost::json::parse(r.out);
    const auto& found = finding(document, "identity");
    EXPECT_EQ(found.at("level").as_string(), "warning") << r.out;
    ASSERT_EQ(found.at("details").as_array().size(), 1u) << r.out;
    EXPECT_THAT(found.at("details").as_array().at(0).as_string().c_str(),
                HasSubstr("serial number vphone-0001: vphone-0001 (127.0.0.1:" + port + "), again (localhost:" + port));
    EXPECT_THAT(found.at("fix").as_string().c_str(), HasSubstr("leave one instance"));
    const auto once = run_drover({"doctor", "--inventory", sim.inventory(), "--json"}, env);
    const auto good = boost::json::parse(once.out);
    EXPECT_EQ(finding(good, "identity").at("level").as_string(), "ok") << once.out;
}

TEST(DoctorCli, TellsOfARunningDroverServer) {
    const SimProcess sim(3);
    const ServeHome home;
    const auto told = [&] {
        auto env = home.env();
        env["ADB_SERVER_SOCKET"] = "tcp:127.0.0.1:9";
        const auto r = run_drover({"doctor", "--inventory", sim.inventory(), "--json"}, env);
        auto found = finding(boost::json::parse(r.out), "drover-server");
        return std::string(found.at("level").as_string()) + ": " + found.at("what").as_string().c_str();
    };
    EXPECT_EQ(told(), "ok: no drover server runs on this host: drover reaches phones by itself");
    ServeProcess serve(home, sim.inventory());
    ASSERT_EQ(home.drover({"disable", "vphone-0003", "--reason", "x"}).code(), 0);
    EXPECT_THAT(told(), testing::MatchesRegex("ok: a drover server runs at " + home.socket() +
                                              ", version [0-9.]+, with 2 phones; runs hold 0; 1 out of service"));
    serve.process().signal(SIGKILL);
    ASSERT_TRUE(serve.process().wait());
    EXPECT_THAT(told(), HasSubstr("warning: no drover server answers at " + home.socket()));
}

TEST(DoctorCli, TellsTheAdbServersVersion) {
    const AdbServer server;
    const auto r = run_drover({"doctor"}, {{"ADB_SERVER_SOCKET", server.socket()}, {"HOME", server.home().string()}});
    EXPECT_EQ(r.code(), 0) << r.out << r.err;
    EXPECT_THAT(r.out, HasSubstr("version 1.0.41"));
    EXPECT_THAT(r.out, HasSubstr("open files allowed"));
}

}  // namespace
}  // namespace drover::test
