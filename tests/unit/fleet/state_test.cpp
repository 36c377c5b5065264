#include "fleet/state.hpp"

#include <gtest/gtest.h>

#include <map>
#include <sstream>

namespace drover::fleet {
namespace {

using namespace std::chrono_literals;
using std::chrono::system_clock;

const system_clock::time_point kStart{};

// Every cell, by hand: a row per condition, a column per event, in the order of the enums.
// ab absent, co connecting, au authorizing, un unauthorized, np no permissions, bo booting, ru running, bl bootloader,
// re recovery, si sideload, rs rescue, fo foreign, of offline, sd server down; go: gone, which is offline for a phone that
// was up and absent for one that never was.
constexpr const char* kWords[kConditions] = {"ab", "co", "au", "un", "np", "bo", "ru",
                                             "bl", "re", "si", "rs", "fo", "of", "sd"};
constexpr const char* kExpected = R"(
   none open auth unau noper dev  boot reco side resc fore booted lost detached down unus tried
ab ab   co   au   un   np    bo   bl   re   si   rs   fo   ab     ab   ab       sd   of   ab
co go   co   au   un   np    bo   bl   re   si   rs   fo   co     go   ab       sd   of   co
au go   co   au   un   np    bo   bl   re   si   rs   fo   au     go   ab       sd   of   au
un go   co   au   un   np    bo   bl   re   si   rs   fo   un     go   ab       sd   of   un
np np   co   au   un   np    bo   bl   re   si   rs   fo   np     go   ab       sd   of   np
bo go   co   au   un   np    bo   bl   re   si   rs   fo   ru     go   ab       sd   of   bo
ru go   co   au   un   np    bo   bl   re   si   rs   fo   ru     go   ab       sd   of   ru
bl go   co   au   un   np    bo   bl   re   si   rs   fo   bl     go   ab       sd   of   bl
re go   co   au   un   np    bo   bl   re   si   rs   fo   re     go   ab       sd   of   re
si go   co   au   un   np    bo   bl   re   si   rs   fo   si     go   ab       sd   of   si
rs go   co   au   un   np    bo   bl   re   si   rs   fo   rs     go   ab       sd   of   rs
fo go   co   au   un   np    bo   bl   re   si   rs   fo   fo     go   ab       sd   of   fo
of of   co   au   un   np    bo   bl   re   si   rs   fo   of     of   ab       sd   of   of
sd go   co   au   un   np    bo   bl   re   si   rs   fo   sd     go   ab       sd   of   sd
)";

Condition by_word(const std::string& word, bool was_up) {
    if (word == "go") return was_up ? Condition::offline : Condition::absent;
    for (std::size_t i = 0; i < kConditions; ++i) {
        if (word == kWords[i]) return static_cast<Condition>(i);
    }
    throw std::invalid_argument(word);
}

TEST(State, EveryCellOfTheTable) {
    std::istringstream words(kExpected);
    std::string word;
    for (std::size_t e = 0; e < kPhoneEvents; ++e) words >> word;  // the heading
    std::size_t cells = 0;
    while (words >> word) {
        const Condition from = by_word(word, false);
        for (std::size_t e = 0; e < kPhoneEvents; ++e) {
            words >> word;
            const auto event = static_cast<PhoneEvent>(e);
            for (const bool was_up : {false, true}) {
                EXPECT_EQ(to_string(next(from, event, was_up)), to_string(by_word(word, was_up)))
                    << to_string(from) << " x " << to_string(event);
            }
            ++cells;
        }
    }
    EXPECT_EQ(cells, kConditions * kPhoneEvents);
}

TEST(State, DocumentedStatusOfEveryConditionAndIntent) {
    // Columns: none, reboot, shutdown, drain, disabled.
    const std::map<Condition, std::array<int, 5>> expected{
        {Condition::absent, {1, 1, 5, 1, 5}},         {Condition::connecting, {4, 3, 3, 3, 5}},
        {Condition::authorizing, {4, 3, 3, 3, 5}},    {Condition::unauthorized, {0, 3, 3, 3, 5}},
        {Condition::no_permissions, {0, 3, 3, 3, 5}}, {Condition::booting, {4, 3, 3, 3, 5}},
        {Condition::running, {2, 3, 3, 3, 5}},        {Condition::bootloader, {4, 3, 3, 3, 5}},
        {Condition::recovery, {4, 3, 3, 3, 5}},       {Condition::sideload, {4, 3, 3, 3, 5}},
        {Condition::rescue, {4, 3, 3, 3, 5}},         {Condition::foreign, {0, 3, 3, 3, 5}},
        {Condition::offline, {0, 0, 5, 0, 5}},        {Condition::server_down, {0, 0, 5, 0, 5}},
    };
    ASSERT_EQ(expected.size(), kConditions);
    for (const auto& [condition, statuses] : expected) {
        for (std::size_t i = 0; i < statuses.size(); ++i) {
            EXPECT_EQ(static_cast<int>(status_of(condition, static_cast<Intent>(i))), statuses[i])
                << to_string(condition) << " " << i;
        }
    }
}

TEST(Tracker, ALifeFromCableToCable) {
    Tracker t(kStart);
    EXPECT_EQ(t.state().status(), Status::stopped);
    EXPECT_FALSE(t.apply(PhoneEvent::no_connection, "refused", kStart + 1s));  // however often
    EXPECT_EQ(t.state().since, kStart);
    EXPECT_EQ(t.state().why, "refused");  // the newest reason, without a change
    EXPECT_FALSE(t.apply(PhoneEvent::no_connection, "", kStart + 1s));
    EXPECT_EQ(t.state().why, "refused");
    EXPECT_TRUE(t.apply(PhoneEvent::transport_open, "connected", kStart + 2s));
    EXPECT_TRUE(t.apply(PhoneEvent::online_device, "CNXN", kStart + 3s));
    EXPECT_EQ(t.state().status(), Status::starting);
    EXPECT_EQ(t.state().adb_state(), adb::AdbState::device);
    EXPECT_TRUE(t.apply(PhoneEvent::booted, "sys.boot_completed=1", kStart + 4s));
    EXPECT_EQ(t.state().status(), Status::running);
    EXPECT_EQ(t.state().why, "sys.boot_completed=1");
    EXPECT_EQ(t.state().since, kStart + 4s);
    EXPECT_TRUE(t.apply(PhoneEvent::link_lost, "cable", kStart + 5s));
    EXPECT_EQ(t.state().status(), Status::unknown);
    EXPECT_FALSE(t.apply(PhoneEvent::no_connection, "refused", kStart + 6s));
    EXPECT_TRUE(t.apply(PhoneEvent::detached, "unplugged", kStart + 7s));
    EXPECT_EQ(t.state().status(), Status::stopped);
    // Attached anew, and lost before it was up: nothing offline about it.
    t.apply(PhoneEvent::transport_open, "connected", kStart + 8s);
    t.apply(PhoneEvent::link_lost, "cable", kStart + 9s);
    EXPECT_EQ(t.state().condition, Condition::absent);
}

TEST(Tracker, RebootIsOverWhenThePhoneIsBack) {
    Tracker t(kStart);
    t.apply(PhoneEvent::online_device, "", kStart);
    t.apply(PhoneEvent::booted, "", kStart);
    EXPECT_TRUE(t.set_intent(Intent::reboot, "reboot", kStart));
    EXPECT_EQ(t.state().status(), Status::stopping);
    t.apply(PhoneEvent::link_lost, "", kStart);
    EXPECT_EQ(t.state().status(), Status::unknown);
    t.apply(PhoneEvent::transport_open, "", kStart);
    EXPECT_EQ(t.state().intent, Intent::none);
    EXPECT_EQ(t.state().status(), Status::starting);
}

TEST(Tracker, ShutDownStaysUntilItComesBackAndDisabledUntilEnabled) {
    Tracker t(kStart);
    t.apply(PhoneEvent::online_device, "", kStart);
    t.set_intent(Intent::shutdown, "shutdown", kStart);
    t.apply(PhoneEvent::link_lost, "", kStart);
    EXPECT_EQ(t.state().status(), Status::shut_down);
    t.set_intent(Intent::disabled, "swollen battery", kStart);
    t.apply(PhoneEvent::online_device, "", kStart);
    EXPECT_EQ(t.state().status(), Status::shut_down);
    t.set_intent(Intent::none, "", kStart);
    EXPECT_EQ(t.state().status(), Status::starting);
}

TEST(Tracker, HistoryIsBoundedAndInOrder) {
    Tracker t(kStart);
    for (int i = 0; i < 100; ++i) {
        t.apply(PhoneEvent::online_device, "up", kStart + std::chrono::seconds(2 * i));
        t.apply(PhoneEvent::link_lost, std::string(1000, 'x'), kStart + std::chrono::seconds(2 * i + 1));
    }
    ASSERT_EQ(t.history().size(), Tracker::kHistoryMax);
    for (std::size_t i = 1; i < t.history().size(); ++i) EXPECT_LT(t.history()[i - 1].since, t.history()[i].since);
    EXPECT_EQ(t.state().why.size(), Tracker::kWhyBytesMax);
}

TEST(Tracker, ActivityIsAnAxisOfItsOwn) {
    Tracker t(kStart);
    EXPECT_TRUE(t.set_activity(Activity::streaming, "logcat", kStart));
    EXPECT_FALSE(t.set_activity(Activity::streaming, "again", kStart));
    EXPECT_EQ(t.state().status(), Status::stopped);
    EXPECT_EQ(t.history().size(), 1u);
}

}  // namespace
}  // namespace drover::fleet
