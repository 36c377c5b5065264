// The first list of phones: whoever waits for it can be told to stop.
#include <gtest/gtest.h>

#include <thread>

#include "base/unique_fd.hpp"
#include "fleet/server_hub.hpp"
#include "fleet/usb_hub.hpp"
#include "support/listener.hpp"
#include "support/memory_usb.hpp"
#include "unit/adb/server_fake.hpp"

namespace drover::test {
namespace {

constexpr std::chrono::hours kForever{1};

TEST(Hubs, WhoWaitsForAServerThatHangsCanBeStopped) {
    Listener hung;
    LoopPool pool{1};
    std::unique_ptr<fleet::ServerHub> hub;
    pool.run_on(0, [&] {
        hub = std::make_unique<fleet::ServerHub>(pool.at(0), adb::test::FakeServer::endpoint_at(hung.port));
    });
    std::stop_source stop;
    UniqueFd connection;
    std::thread user([&] {
        connection = UniqueFd(hung.accept());
        stop.request_stop();
    });
    EXPECT_EQ(hub->view(kForever, stop.get_token()), nullptr);
    user.join();
    pool.run_on(0, [&] { hub.reset(); });
}

TEST(Hubs, WhoWaitsForTheListOfUsbCanBeStopped) {
    MemoryUsbBus bus;
    fleet::UsbHub hub(bus);
    std::stop_source stop;
    std::thread user([&] { stop.request_stop(); });
    EXPECT_EQ(hub.phones(kForever, stop.get_token()), nullptr);
    user.join();
}

}  // namespace
}  // namespace drover::test
