// Many phones, broken phones, much output, and the same rows whatever the way to the phone.
#include <gmock/gmock.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <iostream>
#include <regex>

#include "adb_server.hpp"
#include "support/drover.hpp"
#include "support/sanitizers.hpp"
#include "where.hpp"

namespace drover::test {
namespace {

namespace json = boost::json;
using testing::HasSubstr;

// What `drover -v` says at its end, in kB.
long peak_memory_kb(const Finished& done) {
    std::smatch match;
    if (!std::regex_search(done.err, match, std::regex("peak memory: ([0-9]+) kB"))) return -1;
    return std::stol(match[1]);
}

// 100 phones with room for few: each gets its row, and a host with no room at all says so in one line.
TEST(CliScale, FewDescriptorsAreSharedAndTooFewAreOneLine) {
    const SimProcess sim(100);
    const auto with_limit = [&](int descriptors) {
        return run({.argv = {"bash", "-c",
                             fmt::format("ulimit -n {}; exec '{}' exec --inventory '{}' --timeout 60s --json -- true",
                                         descriptors, DROVER_PROGRAM, sim.inventory())}});
    };
    for (const int limit : {40, 90, 150}) {
        const auto done = with_limit(limit);
        EXPECT_EQ(done.code(), 0) << limit << ": " << done.err;
        EXPECT_THAT(done.out, testing::HasSubstr("\"ok\":100")) << limit;
    }
    if (kSanitized) return;  // without descriptors UBSan cannot look at memory and takes good objects for bad ones
    const auto done = with_limit(8);
    EXPECT_EQ(done.code(), 20) << done.err;
    EXPECT_EQ(std::count(done.err.begin(), done.err.end(), '\n'), 1) << done.err;
}

// Those whose script is being removed have links too.
TEST(CliScale, FewDescriptorsAreEnoughForScripts) {
    constexpr int kPhones = 400;
    const SimProcess sim(kPhones);
    const TempDir dir;
    const auto script = dir.write("s.sh", "echo hi\n").string();
    const auto done = run({.argv = {"bash", "-c",
                                    fmt::format("ulimit -n 128; exec '{}' exec --inventory '{}' --timeout 60s --json "
                                                "--script '{}'",
                                                DROVER_PROGRAM, sim.inventory(), script)}});
    EXPECT_EQ(done.code(), 0) << done.err;
    EXPECT_THAT(done.out, testing::HasSubstr(fmt::format("\"ok\":{}", kPhones)));
    const auto left = run_drover({"exec", "--inventory", sim.inventory(), "--json", "--", "ls", "/data/local/tmp"});
    EXPECT_THAT(left.out, testing::Not(testing::HasSubstr("drover-")));
}

TEST(CliScale, TenFaultsAmongAHundredPhonesGiveTenCodesAndNinetyAnswers) {
    SimProcess sim(100, {"--profile", DROVER_SOURCE_DIR "/devices/profiles/ten-faults.yaml"});
    const TempDir home;  // no keys: nobody's phone trusts the developer's by accident
    const auto begin = std::chrono::steady_clock::now();
    const auto done = run_drover({"exec", "--inventory", sim.inventory(), "--json", "--timeout", "8s",
                                  "--connect-timeout", "2s", "--deadline", "20s", "--", "echo", "hello"},
                                 {{"HOME", home.path().string()}, {"ADB_VENDOR_KEYS", std::nullopt}});
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
    EXPECT_EQ(done.code(), 20) << done.err;
    const auto document = json::parse(done.out);
    const auto& rows = document.at("rows").as_array();
    ASSERT_EQ(rows.size(), 100u);
    const std::map<std::size_t, std::string> broken{
        {3, "CPS.0005"},      // nothing listens
        {13, "CPS.0005"},     // takes the connection and says nothing
        {23, "DROVER.1002"},  // greets, then says nothing: the command is not opened in time
        {33, "DROVER.2001"},  // trusts no key
        {43, "DROVER.2006"},  // refuses
        {53, "DROVER.1005"},  // takes the command and never answers
        {63, "DROVER.3001"},  // the connection breaks
        {73, "DROVER.3002"},  // a broken packet
        {83, "DROVER.2008"},  // no exit code
        {93, "CPS.0191"},     // fails
    };
    for (std::size_t number = 1; number <= 100; ++number) {
        const auto& row = rows[number - 1];
        const auto expected = broken.find(number);
        EXPECT_EQ(row.at("error_code").as_string(), expected == broken.end() ? "" : expected->second)
            << json::serialize(row);
        if (expected == broken.end()) {
            EXPECT_EQ(row.at("execute_msg").as_string(), "hello\n") << json::serialize(row);
        }
    }
}

TEST(CliScale, AThousandPhonesInOneExec) {
    SimProcess sim(1'000);
    const auto done =
        run_drover({"exec", "-v", "--inventory", sim.inventory(), "--json", "--timeout", "60s", "--", "echo", "hi"});
    EXPECT_EQ(done.code(), 0) << done.err;
    const auto document = json::parse(done.out);
    EXPECT_EQ(document.at("summary").at("ok").as_int64(), 1'000);
    const auto& rows = document.at("rows").as_array();
    ASSERT_EQ(rows.size(), 1'000u);
    EXPECT_EQ(rows[999].at("instance_id").as_string(), "vphone-1000");
    const long peak = peak_memory_kb(done);
    std::cout << "1,000 phones: " << document.at("summary").at("ms") << " ms, peak memory " << peak << " kB\n";
    ASSERT_GT(peak, 0) << done.err;
    if (!kSanitized) {
        EXPECT_LT(peak, 100'000);
    }
}

TEST(CliScale, TwentyMegabytesFromEachOfAHundredPhonesInBoundedMemory) {
    constexpr std::int64_t kBytes = kSanitized ? 2'000'000 : 20'000'000;
    SimProcess sim(100);
    const auto done = run_drover({"exec", "-v", "--inventory", sim.inventory(), "--json", "--timeout", "120s", "--",
                                  "sim-output", std::to_string(kBytes)});
    EXPECT_EQ(done.code(), 0) << done.err;
    const auto document = json::parse(done.out);
    ASSERT_EQ(document.at("rows").as_array().size(), 100u);
    for (const auto& row : document.at("rows").as_array()) {
        EXPECT_EQ(row.at("output_bytes").as_int64(), kBytes);
        EXPECT_EQ(row.at("execute_msg").as_string().size(), 1024u);
        EXPECT_TRUE(row.at("truncated").as_bool());
        EXPECT_EQ(row.at("exit_code").as_int64(), 0);
    }
    const long peak = peak_memory_kb(done);
    std::cout << "100 x 20 MB: " << document.at("summary").at("ms") << " ms, peak memory " << peak << " kB\n";
    ASSERT_GT(peak, 0) << done.err;
    if (!kSanitized) {
        EXPECT_LT(peak, 100'000);
    }
}

TEST(CliScale, OutputForFilesWaitsForTheDiskInBoundedMemory) {
    constexpr std::uintmax_t kBytes = kSanitized ? 500'000 : 5'000'000;
    SimProcess sim(50);
    const TempDir dir;
    const auto done = run_drover({"exec", "-v", "--inventory", sim.inventory(), "--json", "--timeout", "120s",
                                  "--out-dir", (dir / "out").string(), "--", "sim-output", std::to_string(kBytes)});
    EXPECT_EQ(done.code(), 0) << done.err;
    for (int i = 1; i <= 50; ++i) {
        EXPECT_EQ(std::filesystem::file_size(dir / "out" / fmt::format("vphone-{:04}.out", i)), kBytes);
    }
    const long peak = peak_memory_kb(done);
    std::cout << "50 x 5 MB into files: peak memory " << peak << " kB\n";
    if (!kSanitized) {
        EXPECT_LT(peak, 150'000);  // of 250 MB that went through
    }
}

// The rows without what may differ: times.
std::string comparable_rows(const Finished& done) {
    auto document = json::parse(done.out);
    for (auto& row : document.at("rows").as_array()) row.as_object().erase("ms");
    std::string text;
    for (const auto& row : document.at("rows").as_array()) text += json::serialize(row) + "\n";
    return text;
}

TEST(CliScale, ThroughAnAdbServerTheRowsAreTheSame) {
    constexpr int kPhones = 5;
    SimProcess sim(kPhones);
    AdbServer server;
    const TempDir dir;
    auto through_server = read_file(sim.inventory());
    const std::regex address("via: tcp, address: '([^']*)'");
    for (auto it = std::sregex_iterator(through_server.begin(), through_server.end(), address);
         it != std::sregex_iterator(); ++it) {
        EXPECT_THAT(server.adb({"connect", (*it)[1]}).out, HasSubstr("connected to"));
    }
    through_server = std::regex_replace(through_server, address, "via: server, address: '$1'");
    const auto inventory = dir.write("server.yaml", through_server).string();
    for (const std::string command : {"true", "echo out; echo err >&2", "echo part; exit 3", "sim-output 200000",
                                      "printf '\\377\\303'", "getprop ro.serialno; cat /nonexistent"}) {
        const auto direct = run_drover({"exec", "--inventory", sim.inventory(), "--json", "--", command});
        const auto served = run_drover({"exec", "--inventory", inventory, "--json", "--", command},
                                       {{"ADB_SERVER_SOCKET", server.socket()}});
        EXPECT_EQ(direct.code(), served.code()) << command << direct.err << served.err;
        EXPECT_EQ(comparable_rows(direct), comparable_rows(served)) << command;
        EXPECT_THAT(direct.out, HasSubstr("\"phase\":\"done\"")) << command;
    }
}

}  // namespace
}  // namespace drover::test
