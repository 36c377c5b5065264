// FleetOptions::stop: whoever looks for phones can be told to stop.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <thread>

#include "base/unique_fd.hpp"
#include "drover/fleet.hpp"
#include "support/listener.hpp"
#include "support/temp_dir.hpp"

namespace drover::test {
namespace {

constexpr std::chrono::hours kForever{1};

TEST(FleetStop, EndsTheOpening) {
    ::setenv("ADB_SERVER_SOCKET", "tcp:127.0.0.1:1", 1);
    std::stop_source stop;
    stop.request_stop();
    FleetOptions options;
    options.stop = stop.get_token();
    const auto fleet = Fleet::open(options);
    ASSERT_FALSE(fleet);
    EXPECT_EQ(fleet.error().code, Code::interrupted) << fleet.error().message;
}

// The phone takes the connection and says nothing.
TEST(FleetStop, EndsTheLookAtStatesOfASelector) {
    const TempDir dir;
    Listener hung;
    FleetOptions options;
    options.inventory =
        dir.write("i.yaml", fmt::format("version: 1\ninstances:\n  - {{id: a, address: '127.0.0.1:{}'}}\n", hung.port));
    std::stop_source stop;
    options.stop = stop.get_token();
    auto fleet = Fleet::open(options);
    ASSERT_TRUE(fleet) << fleet.error().message;
    UniqueFd connection;
    std::thread user([&] {
        connection = UniqueFd(hung.accept());
        stop.request_stop();
    });
    const auto selection = (*fleet)->select("state:device", kForever);
    user.join();
    ASSERT_FALSE(selection);
    EXPECT_EQ(selection.error().code, Code::interrupted);
}

}  // namespace
}  // namespace drover::test
