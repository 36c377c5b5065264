// What waits for phones in a `drover serve` keeps nobody else waiting.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "support/listener.hpp"
#include "support/serve.hpp"

namespace drover::test {
namespace {

using testing::HasSubstr;

TEST(ThroughServeWait, NobodyWaitsForSomebodyElsesPhones) {
    constexpr int kLookers = 8;
    const SimProcess sim(1);
    const Listener silent;  // takes the connection, and never says a word
    const ServeHome home;
    const auto inventory = home.dir().write(
        "phones.yaml", read_file(sim.inventory()) +
                           fmt::format("  - {{id: silent, via: tcp, address: '127.0.0.1:{}'}}\n", silent.port));
    const ServeProcess serve(home, inventory.string());
    std::vector<std::unique_ptr<Process>> lookers;
    for (int i = 0; i < kLookers; ++i)
        lookers.push_back(
            std::make_unique<Process>(drover_command({"devices", "--connect-timeout", "50s"}, home.env())));
    const auto connections = fmt::format("drover_http_connections {}\n", kLookers + 1);  // and the one that asks
    const auto until = std::chrono::steady_clock::now() + kWaitMax;
    while (curl({"--unix-socket", home.socket(), "http://localhost/metrics"}).body.find(connections) ==
           std::string::npos)
        ASSERT_LT(std::chrono::steady_clock::now(), until);
    const auto ran = home.drover({"exec", "--on", "vphone-0001", "--", "echo ran"});
    EXPECT_EQ(ran.code(), 0) << ran.err;
    EXPECT_THAT(ran.out, HasSubstr("ran"));
    EXPECT_EQ(home.drover({"exec", "--on", "vphone-*", "--", "echo ran"}).code(), 0);
    for (const auto& looker : lookers) EXPECT_FALSE(looker->wait(std::chrono::milliseconds(0))) << "it has to wait";
}

}  // namespace
}  // namespace drover::test
