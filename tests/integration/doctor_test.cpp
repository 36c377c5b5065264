// `drover doctor`: the real program on virtual phones, with and without an adb server.
#include <gmock/gmock.h>

#include <boost/json/parse.hpp>

#include "integration/adb_server.hpp"
#include "support/drover.hpp"

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

TEST(DoctorCli, TellsTheAdbServersVersion) {
    const AdbServer server;
    const auto r = run_drover({"doctor"}, {{"ADB_SERVER_SOCKET", server.socket()}, {"HOME", server.home().string()}});
    EXPECT_EQ(r.code(), 0) << r.out << r.err;
    EXPECT_THAT(r.out, HasSubstr("version 1.0.41"));
    EXPECT_THAT(r.out, HasSubstr("open files allowed"));
}

}  // namespace
}  // namespace drover::test
