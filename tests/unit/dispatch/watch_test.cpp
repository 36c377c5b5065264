// Phones under watch: who hears what, in which order.
#include "dispatch/watch.hpp"

#include <gmock/gmock.h>

#include <condition_variable>

#include "support/fake_phone.hpp"

namespace drover::test {
namespace {

using ::testing::ElementsAre;

struct Heard final : StatusSink {
    std::mutex mutex;
    std::condition_variable changed;
    std::map<std::size_t, std::vector<std::string>> conditions;

    void on_status(PhoneStatus s) override {
        const std::lock_guard lock(mutex);
        conditions[s.instance].push_back(s.condition);
        changed.notify_all();
    }
    void wait_for(std::size_t phone, const std::string& condition) {
        std::unique_lock lock(mutex);
        changed.wait(lock, [&] { return !conditions[phone].empty() && conditions[phone].back() == condition; });
    }
};

TEST(Watch, ConnectsAndWaitsForTheBoot) {
    FakeFleet fleet(2, 2);
    fleet.at(0, [](FakeConnector& c) { c.carrier.output = "1\n"; });
    fleet.at(1, [](FakeConnector& c) { c.carrier.output = "\n"; });  // adbd is up, Android is not
    Heard heard;
    {
        const dispatch::FleetWatch watch(fleet.all(), {0, 1}, heard);
        heard.wait_for(0, "running");
        heard.wait_for(1, "booting");
        fleet.at(1, [](FakeConnector& c) { c.carrier.output = "1\r\n"; });
        heard.wait_for(1, "running");
        fleet.at(0, [](FakeConnector& c) {
            c.behave = FakeConnector::Behave::mute;
            c.down(Error(Code::link_lost, "cable"), false);
        });
        heard.wait_for(0, "offline");
    }
    EXPECT_THAT(heard.conditions[0], ElementsAre("absent", "booting", "running", "offline"));
    EXPECT_THAT(heard.conditions[1], ElementsAre("absent", "booting", "running"));
    fleet.at(0, [](FakeConnector& c) {
        EXPECT_THAT(c.carrier.opened, ElementsAre("shell,v2,raw:getprop sys.boot_completed"));
    });
}

TEST(Watch, NothingIsAskedOfPhonesNobodyWatches) {
    FakeFleet fleet(2, 1);
    fleet.at(0, [](FakeConnector& c) { c.carrier.output = "1\n"; });
    Heard heard;
    {
        const dispatch::FleetWatch watch({fleet.phones[0].get()}, {0}, heard);
        heard.wait_for(0, "running");
    }
    fleet.at(1, [](FakeConnector& c) {
        EXPECT_EQ(c.starts, 0);
        EXPECT_TRUE(c.carrier.opened.empty());
    });
}

TEST(Watch, ADisabledPhoneIsNotConnectedUntilItIsEnabled) {
    FakeFleet fleet(1, 1);
    fleet.at(0, [&](FakeConnector& c) {
        c.carrier.output = "1\n";
        fleet.phones[0]->set_service(Error(Code::disabled, "lent out"));
    });
    Heard heard;
    {
        const dispatch::FleetWatch watch(fleet.all(), {7}, heard);
        fleet.at(0, [&](FakeConnector& c) {
            EXPECT_EQ(c.starts, 0);
            fleet.phones[0]->set_service(std::nullopt);
        });
        heard.wait_for(7, "running");
    }
}

}  // namespace
}  // namespace drover::test
