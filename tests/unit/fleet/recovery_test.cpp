// What is tried when a phone stays away, and when: in virtual time, then on a phone without a protocol.
#include "fleet/recovery.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <condition_variable>
#include <future>

#include "fleet/pace.hpp"
#include "support/fake_phone.hpp"

namespace drover::test {
namespace {

using namespace std::chrono_literals;
using fleet::Ladder;

const TimePoint kFirstMoment = TimePoint() + 1000s;
const std::vector<Rung> kRungs{{RungKind::reconnect, 10s, 5s}, {RungKind::reboot, 20s, 60s}, {RungKind::ask, 0s, 1s}};

std::string taken(Ladder& ladder, Duration at, bool busy = false) {
    const auto rung = ladder.take(kFirstMoment + at, busy);
    return rung ? std::string(to_string(rung->kind)) : "nothing";
}

TEST(Ladder, EachRungHasItsOwnWaitAndCheck) {
    Ladder ladder(kRungs);
    EXPECT_FALSE(ladder.due());
    ladder.trouble(kFirstMoment);
    ladder.trouble(kFirstMoment + 9s);  // still the same trouble
    EXPECT_EQ(taken(ladder, 9s), "nothing");
    EXPECT_EQ(taken(ladder, 10s), "reconnect");
    EXPECT_EQ(ladder.due(), kFirstMoment + 10s + 5s + 20s);
    EXPECT_EQ(taken(ladder, 34s), "nothing");
    EXPECT_EQ(taken(ladder, 35s), "reboot");
    EXPECT_EQ(taken(ladder, 95s), "ask");
    EXPECT_FALSE(ladder.due());
    ladder.trouble(kFirstMoment + 100s);
    EXPECT_FALSE(ladder.due()) << "a person was asked; that is not done again and again";
}

TEST(Ladder, NeverOnAPhoneThatRunsACommand) {
    Ladder ladder(kRungs);
    ladder.trouble(kFirstMoment);
    EXPECT_EQ(taken(ladder, 50s, true), "nothing");
    EXPECT_EQ(taken(ladder, 51s), "reconnect") << "it stays due";
}

TEST(Ladder, BeginsAnewAndSaysWhatHelped) {
    Ladder ladder(kRungs);
    ladder.trouble(kFirstMoment);
    EXPECT_EQ(ladder.well(), std::nullopt) << "nothing was tried";
    ladder.trouble(kFirstMoment + 100s);
    EXPECT_EQ(taken(ladder, 110s), "reconnect");
    EXPECT_EQ(ladder.well(), RungKind::reconnect);
    ladder.trouble(kFirstMoment + 200s);
    EXPECT_EQ(taken(ladder, 210s), "reconnect");
}

TEST(Ladder, WithoutRungsNothingIsEverDue) {
    Ladder ladder({});
    ladder.trouble(kFirstMoment);
    EXPECT_FALSE(ladder.due());
}

// A phone under watch, its links made and broken by the test.
struct HeardStates final : fleet::StateListener {
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<std::string> seen;
    void on_state(const fleet::Phone& phone) override {
        const std::lock_guard lock(mutex);
        seen.push_back(std::string(to_string(phone.state().condition)) + "/" + phone.state().why);
        changed.notify_all();
    }
    void wait_for(const std::string& text) {
        std::unique_lock lock(mutex);
        changed.wait(lock, [&] {
            return std::any_of(seen.begin(), seen.end(), [&](const auto& s) { return s.find(text) != s.npos; });
        });
    }
};

// Goes off on the loop, after the timers that were due before.
struct AfterAWhile {
    AfterAWhile(Loop& loop, Duration wait, std::promise<void>& told) : told_(told) {
        loop.post([this, &loop, wait] { loop.arm_after(timer_, wait); });
    }
    void now() { told_.set_value(); }

private:
    std::promise<void>& told_;
    Timer timer_ = Timer::calls<&AfterAWhile::now>(*this);
};

class CareTest : public ::testing::Test {
protected:
    void make() {
        shared.upkeep = &upkeep;
        shared.counts = &counts;
        pool.run_on(0, [&] {
            auto c = std::make_unique<FakeConnector>(pool.at(0));
            connector = c.get();
            Instance instance;
            instance.id = "p0";
            phone = std::make_unique<fleet::Phone>(pool.at(0), 0, instance, std::move(c), shared);
        });
    }
    ~CareTest() override {
        pool.run_on(0, [&] {
            phone->unwatch(heard);
            phone.reset();
        });
    }
    void watch() {
        pool.run_on(0, [&] { phone->watch(heard); });
    }
    // It ran, was watched, and answers no more.
    void make_one_that_froze() {
        upkeep.alive_every = upkeep.alive_answer = 10ms;
        make();
        pool.run_on(0, [&] { connector->carrier.output = "1\n"; });
        watch();
        heard.wait_for("running");
        pool.run_on(0, [&] { connector->carrier.behave = FakeCarrier::Behave::mute; });
        heard.wait_for("offline/it does not answer");
    }

    // To a question about its health that is asked from now on.
    void wait_for_an_answer() {
        for (const int wanted = asked + 3; asked < wanted;) pool.run_on(0, [] {});
    }

    static constexpr int kUntold = -1;
    std::atomic<int> level{3};  // of the battery
    std::atomic<int> asked{0};  // about its health
    Upkeep upkeep;
    fleet::RecoveryCounts counts;
    fleet::PhoneShared shared;
    HeardStates heard;
    LoopPool pool{1};
    FakeConnector* connector = nullptr;
    std::unique_ptr<fleet::Phone> phone;
};

TEST_F(CareTest, APhoneThatHangsWhileItBootsIsRebootedAndAPersonAsked) {
    upkeep.ladder = {{RungKind::usb_reset, 0ms, 0ms}, {RungKind::reboot, 50ms, 0ms}};
    make();
    pool.run_on(0, [&] { connector->carrier.output = "\n"; });
    watch();
    heard.wait_for("recovery: reboot");
    pool.run_on(0, [&] { EXPECT_THAT(connector->carrier.opened, ::testing::Contains("reboot:")); });
    EXPECT_EQ(counts.tried[static_cast<std::size_t>(RungKind::usb_reset)], 1u);
    EXPECT_EQ(counts.skipped[static_cast<std::size_t>(RungKind::usb_reset)], 1u) << "it is not on USB";
}

TEST_F(CareTest, AReconnectThatHelpsIsCounted) {
    upkeep.ladder = {{RungKind::reconnect, 0ms, 60s}};
    make();
    pool.run_on(0, [&] {
        connector->behave = FakeConnector::Behave::mute;
        connector->at_stop = [&] { connector->behave = FakeConnector::Behave::online; };
        connector->carrier.output = "1\n";
    });
    watch();
    heard.wait_for("running");
    pool.run_on(0, [&] { EXPECT_EQ(connector->starts, 2); });
    EXPECT_EQ(counts.helped[static_cast<std::size_t>(RungKind::reconnect)], 1u);
}

TEST_F(CareTest, AFrozenPhoneLeavesRunningAndIsBroughtBack) {
    upkeep.alive_every = upkeep.alive_answer = 10ms;
    upkeep.ladder = {{RungKind::ask, 0ms, 0ms}};
    make();
    pool.run_on(0, [&] {
        connector->carrier.output = "1\n";
        connector->at_stop = [&] { connector->behave = FakeConnector::Behave::absent; };
    });
    watch();
    heard.wait_for("running");
    pool.run_on(0, [&] {
        counts.tried[static_cast<std::size_t>(RungKind::ask)] = 0;  // it was booting before
        connector->carrier.behave = FakeCarrier::Behave::mute;
    });
    heard.wait_for("offline/it does not answer");
    pool.run_on(0, [&] {
        EXPECT_EQ(phone->state().status(), fleet::Status::unknown);
        EXPECT_EQ(phone->peer(), nullptr) << "its link is still open";
        heard.seen.clear();
        connector->carrier.behave = FakeCarrier::Behave::exits;
        connector->behave = FakeConnector::Behave::online;
    });
    heard.wait_for("running");  // nobody asked for it
    EXPECT_EQ(counts.tried[static_cast<std::size_t>(RungKind::ask)], 1u) << "the ladder did not see it";
}

// An adb server goes on to list it, and its link opens each time.
TEST_F(CareTest, AFrozenPhoneStaysOfflineUntilItHasAnswered) {
    make_one_that_froze();
    for (int starts = 0; starts < 4;) pool.run_on(0, [&] { starts = connector->starts; });
    pool.run_on(0, [&] {
        EXPECT_THAT(heard.seen.back(), "offline/it does not answer");
        EXPECT_EQ(std::count(heard.seen.begin(), heard.seen.end(), heard.seen.back()), 1);
        connector->carrier.behave = FakeCarrier::Behave::exits;
        heard.seen.clear();
    });
    heard.wait_for("booting/it answers again");
    heard.wait_for("running");
}

// Plugged in anew it is as any other: what it did before says nothing.
TEST_F(CareTest, AFrozenPhoneThatWasUnpluggedIsInDoubtNoMore) {
    make_one_that_froze();
    pool.run_on(0, [&] {
        heard.seen.clear();
        connector->come_back();
        auto* const sink = std::exchange(connector->sink, nullptr);
        sink->on_down(Error(Code::phone_not_found, "unplugged"), fleet::PhoneEvent::detached, false);
        connector->come_back();
    });
    heard.wait_for("absent/unplugged");
    heard.wait_for("booting/adbd is up");
}

TEST_F(CareTest, AFrozenPhoneThatNobodyWatchesIsWhatItsLinkSays) {
    make_one_that_froze();
    pool.run_on(0, [&] {
        upkeep.alive_answer = 1h;
        connector->come_back();
    });
    for (bool up = false; !up;) pool.run_on(0, [&] { up = phone->peer() != nullptr; });
    pool.run_on(0, [&] {
        EXPECT_EQ(phone->state().condition, fleet::Condition::offline);
        phone->unwatch(heard);
        EXPECT_EQ(phone->state().condition, fleet::Condition::booting);
    });
}

TEST_F(CareTest, HealthThatIsNeverToldCountsToo) {
    upkeep.alive_every = 1h;
    upkeep.alive_answer = 10ms;
    upkeep.health_every = 10ms;
    make();
    pool.run_on(0, [&] {
        connector->carrier.output = "1\n";
        connector->carrier.before_answer = [](FakeCarrier& c, std::string_view service) {
            const bool boot =
                service.find("sys.boot_completed") != service.npos && service.find("dumpsys") == service.npos;
            c.behave = boot ? FakeCarrier::Behave::exits : FakeCarrier::Behave::mute;
        };
    });
    watch();
    heard.wait_for("offline/it does not answer");
}

// From so many failures in a row on, a phone is tried once per pause.
TEST_F(CareTest, TheBreakerOfAPhoneThatFailsAndFails) {
    upkeep.breaker_failures = 2;
    upkeep.breaker_pause = 1h;
    make();
    pool.run_on(0, [&] { connector->behave = FakeConnector::Behave::mute; });
    watch();
    const auto fail = [&] { connector->down(Error(Code::phone_not_found, "refused"), false); };
    pool.run_on(0, fail);
    for (int starts = 1; starts < 2;) pool.run_on(0, [&] { starts = connector->starts; });
    pool.run_on(0, fail);
    std::promise<void> later;
    AfterAWhile after(pool.at(0), 500ms, later);  // the back-off alone is 200 ms at most
    later.get_future().wait();
    pool.run_on(0, [&] {
        EXPECT_EQ(connector->starts, 2) << "the breaker is not open";
        connector->come_back();  // it is plugged in
        EXPECT_EQ(connector->starts, 3);
        fail();
    });
    for (int starts = 3; starts < 4;) pool.run_on(0, [&] { starts = connector->starts; });
}

// A due rung waits as long as a command is at the phone.
TEST_F(CareTest, TheLadderLeavesAPhoneAloneThatRunsACommand) {
    struct Command final : fleet::GateWaiter {
        void on_admitted() override {}
    } command;
    upkeep.ladder = {{RungKind::reboot, 0ms, 0ms}};
    make();
    pool.run_on(0, [&] {
        connector->carrier.output = "\n";
        ASSERT_TRUE(phone->gate().enter(command));
        phone->watch(heard);
    });
    heard.wait_for("booting");
    // The rung is due since before this; the timer that looks at it goes off before the one armed here.
    std::promise<void> later;
    AfterAWhile after(pool.at(0), 50ms, later);
    later.get_future().wait();
    EXPECT_EQ(counts.tried[static_cast<std::size_t>(RungKind::reboot)], 0u);
    pool.run_on(0, [&] { phone->gate().exit(); });
    heard.wait_for("recovery: reboot");
}

TEST_F(CareTest, APhonePastALimitTakesNoCommandsAndKeepsItsLink) {
    upkeep.health_every = 10ms;
    upkeep.limits.battery_min_percent = 15;
    make();
    pool.run_on(0, [&] {
        connector->carrier.before_answer = [this](FakeCarrier& c, std::string_view service) {
            const bool health = service.find("dumpsys battery") != service.npos;
            if (health) ++asked;
            c.output = !health ? "1\n" : level == kUntold ? "" : "level: " + std::to_string(level) + "\n";
        };
    });
    level = kUntold;
    watch();
    wait_for_an_answer();
    EXPECT_FALSE(phone->is_unfit()) << "it never told";
    level = 3;
    heard.wait_for("battery at 3 %, below 15 %");
    pool.run_on(0, [&] {
        EXPECT_EQ(phone->state().status(), fleet::Status::shut_down);
        EXPECT_NE(connector->sink, nullptr) << "the link is gone";
    });
    EXPECT_TRUE(phone->is_unfit());
    level = kUntold;
    wait_for_an_answer();
    EXPECT_TRUE(phone->is_unfit()) << "nobody said that it is charged";
    level = 80;
    heard.wait_for("within limits again");
    EXPECT_FALSE(phone->is_unfit());
}

}  // namespace
}  // namespace drover::test
