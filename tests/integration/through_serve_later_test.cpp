// Phones that come later, for who waits or watches through a running `drover serve`. Those on USB: tests/usb.
#include <gmock/gmock.h>

#include <csignal>

#include "support/serve.hpp"

namespace drover::test {
namespace {

class ThroughServeLater : public testing::Test {
protected:
    std::string write(const std::string& text) const { return home.dir().write("phones.yaml", text).string(); }
    Process start(std::vector<std::string> args) const { return Process(drover_command(std::move(args), home.env())); }

    const SimProcess sim{3};
    const ServeHome home;
    const std::string three = read_file(sim.inventory());
    const std::string two = three.substr(0, three.find("  - {id: vphone-0003"));
};

TEST_F(ThroughServeLater, AWatchShowsPhonesThatAreWrittenDownLater) {
    ASSERT_LT(two.size(), three.size()) << three;
    ServeProcess serve(home, write(two));
    auto watch = start({"status", "--watch"});
    ASSERT_TRUE(watch.wait_for_line("vphone-0001: 2 running")) << watch.err();
    ASSERT_TRUE(watch.wait_for_line("vphone-0002: 2 running")) << watch.err();
    write(three);
    EXPECT_TRUE(watch.wait_for_line("vphone-0003: 2 running")) << watch.err();
    watch.signal(SIGINT);
    EXPECT_EQ(watch.wait()->code, 130);
    const auto out = watch.out();
    EXPECT_EQ(out.find("vphone-0001: 2 running"), out.rfind("vphone-0001: 2 running")) << "told twice:\n" << out;
}

TEST_F(ThroughServeLater, AWaitTakesThemInWhereDiscoveryGoesOn) {
    const std::string discover = "discover: [usb]\n";
    ServeProcess serve(home, write(two + discover));
    auto wait = start({"wait", "all", "-v", "--count", "3"});
    ASSERT_TRUE(wait.wait_for_error_line("2 phones match, 3 wanted; more may come")) << wait.err();
    write(three + discover);
    EXPECT_EQ(wait.wait()->code, 0) << wait.err();
    auto none = start({"wait", "vphone-0009", "-v", "--timeout", "300ms"});
    EXPECT_EQ(none.wait()->code, 22) << none.err();
}

TEST_F(ThroughServeLater, AWaitWithoutDiscoveryEndsWhereTooFewAreWrittenDown) {
    ServeProcess serve(home, write(two));
    EXPECT_EQ(home.drover({"wait", "all", "--count", "3"}).code(), 18);
    auto wait = start({"wait", "all", "-v", "--state", "recovery", "--timeout", "60s"});
    ASSERT_TRUE(wait.wait_for_error_line("2 phones match")) << wait.err();
    write(three.substr(0, three.find("  - {id: vphone-0001")) + three.substr(three.find("  - {id: vphone-0003")));
    ASSERT_TRUE(wait.wait_for_error_line("1 phones match")) << wait.err();
    wait.signal(SIGINT);
    EXPECT_EQ(wait.wait()->code, 130);
}

// As long as nothing is discovered, what is written down is believed; then two entries of one phone are told apart.
TEST_F(ThroughServeLater, PhonesSayWhoTheyAreOnceDiscoveryBegins) {
    const auto port = two.substr(two.find("127.0.0.1:") + 10, 5);
    const auto entry = [&](const char* id, const char* host) {
        return std::string("  - {id: ") + id + ", via: tcp, address: '" + host + ":" + port + "'}\n";
    };
    const auto entries = "version: 1\ninstances:\n" + entry("z", "localhost") + entry("b", "127.0.0.1");
    ServeProcess serve(home, write(entries));
    EXPECT_EQ(home.drover({"exec", "--", "true"}).code(), 0);
    write(entries + "discover: [usb]\n");
    ASSERT_TRUE(serve.process().wait_for_error_line("z and b of the inventory have the same serial number"));
    const auto both = home.drover({"exec", "--", "echo ran"});
    EXPECT_THAT(both.out, testing::HasSubstr("z: ran"));
    EXPECT_THAT(both.out, testing::Not(testing::HasSubstr("b: ran")));
}

}  // namespace
}  // namespace drover::test
