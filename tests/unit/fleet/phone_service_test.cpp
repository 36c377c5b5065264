// A phone that is out of service, by a person's word or by its health: what is tried with it meanwhile, and what its status says.
#include <gmock/gmock.h>

#include <algorithm>
#include <condition_variable>
#include <future>

#include "support/fake_phone.hpp"
#include "support/loop_time.hpp"
#include "support/noted_waiter.hpp"

namespace drover::test {
namespace {

using namespace std::chrono_literals;
using fleet::Status;

constexpr auto kLongerThanALadder = 60ms;  // than its waits here

class PhoneService : public ::testing::Test {
protected:
    void make() {
        shared.upkeep = &upkeep;
        shared.counts = &counts;
        pool.run_on(0, [&] {
            auto c = std::make_unique<FakeConnector>(pool.at(0));
            connector = c.get();
            c->carrier.output = "1\n";
            c->carrier.before_answer = [this](FakeCarrier& carrier, std::string_view service) {
                const bool health = service.find("dumpsys battery") != service.npos;
                carrier.output = health ? told_health : told_boot;
                carrier.behave = service == refused ? FakeCarrier::Behave::refuses
                                 : service == taken ? FakeCarrier::Behave::opens_only
                                                    : FakeCarrier::Behave::exits;
            };
            Instance instance;
            instance.id = "p0";
            phone = std::make_unique<fleet::Phone>(pool.at(0), 0, instance, std::move(c), shared);
            phone->watch(looker);
        });
    }
    ~PhoneService() override {
        pool.run_on(0, [&] {
            phone->unwatch(looker);
            phone.reset();
        });
    }
    void make_unfit() {
        upkeep.health_every = 1h;
        upkeep.limits.battery_min_percent = 15;
        make();
        wait_for(
            [](const fleet::Phone& p) { return p.is_unfit() && p.state().condition == fleet::Condition::running; });
    }
    void wait_for(std::function<bool(const fleet::Phone&)> wanted) {
        std::promise<void> seen;
        pool.run_on(0, [&] {
            if (wanted(*phone)) return seen.set_value();
            looker.look = [&, wanted](const fleet::Phone& p) {
                if (!wanted(p)) return false;
                seen.set_value();
                return true;
            };
        });
        seen.get_future().wait();
    }
    std::uint64_t tried(RungKind kind) const { return counts.tried[static_cast<std::size_t>(kind)]; }
    Status status() const { return phone->state().status(); }

    Upkeep upkeep;
    fleet::RecoveryCounts counts;
    fleet::PhoneShared shared;
    std::string refused, taken;  // a service; taken and not done
    std::string told_boot = "1\n";
    std::string told_health = "level: 3\n";
    // Not the fixture itself, which the test's end begins to destroy before its phone has stopped.
    struct Looker final : fleet::StateListener {
        std::function<bool(const fleet::Phone&)> look;
        void on_state(const fleet::Phone& p) override {
            if (look && look(p)) look = nullptr;
        }
    } looker;
    NotedWaiter waiter;
    NoWaiter command;
    LoopPool pool{1};
    FakeConnector* connector = nullptr;
    std::unique_ptr<fleet::Phone> phone;
};

TEST_F(PhoneService, NothingIsTriedWithAnUnfitPhoneThatWasUnpluggedAndDisabled) {
    upkeep.ladder = {{RungKind::reconnect, 20ms, 0ms}};
    make_unfit();
    int before = 0;
    pool.run_on(0, [&] {
        auto* const sink = std::exchange(connector->sink, nullptr);
        sink->on_down(Error(Code::phone_not_found, "unplugged"), fleet::PhoneEvent::detached, false);
        phone->set_service(Error(Code::disabled, "swollen battery"));
        counts.tried[static_cast<std::size_t>(RungKind::reconnect)] = 0;  // it was booting before
        before = connector->starts;
    });
    let_time_pass(pool, kLongerThanALadder);
    EXPECT_EQ(tried(RungKind::reconnect), 0u);
    pool.run_on(0, [&] { EXPECT_EQ(connector->starts, before) << "a link was opened"; });
}

TEST_F(PhoneService, ADisabledPhoneThatItsLastCommandRebootsStaysDisabled) {
    make();
    wait_for([](const fleet::Phone& p) { return p.state().condition == fleet::Condition::running; });
    pool.run_on(0, [&] {
        ASSERT_TRUE(phone->gate().enter(command));
        phone->set_service(Error(Code::disabled, "to be repaired"));
        phone->show_reboot(true, "reboot");
        EXPECT_EQ(status(), Status::shut_down);
        connector->down(Error(Code::link_lost, "it reboots"), false);
        phone->gate().exit();
    });
    let_time_pass(pool, kLongerThanALadder);
    pool.run_on(0, [&] { EXPECT_EQ(status(), Status::shut_down); });
}

TEST_F(PhoneService, AnUnfitPhoneThatRebootsIsUnfitWhenItComesBack) {
    make_unfit();
    pool.run_on(0, [&] {
        phone->show_reboot(true, "reboot");
        connector->down(Error(Code::link_lost, "it reboots"), false);
    });
    std::optional<Status> back;
    wait_for([&](const fleet::Phone& p) {
        if (p.state().condition == fleet::Condition::booting && !back) back = p.state().status();
        return p.state().condition == fleet::Condition::running;
    });
    EXPECT_EQ(back, Status::shut_down) << "it takes no commands";
}

TEST_F(PhoneService, AnUnfitPhoneIsDisabledAndEnabledAsAnyOther) {
    make_unfit();
    pool.run_on(0, [&] {
        phone->set_service(Error(Code::disabled, "lent out"));
        EXPECT_FALSE(phone->is_unfit()) << "nobody knows by now";
        EXPECT_EQ(phone->state().why, "lent out");
        phone->set_service(std::nullopt);
        EXPECT_EQ(connector->starts, 2) << "it is watched";
    });
    wait_for([](const fleet::Phone& p) { return p.is_unfit(); });
}

// Once it was out of service nobody knows any more what it told before.
TEST_F(PhoneService, APhoneThatIsEnabledAndTellsNothingIsNotUnfit) {
    make_unfit();
    pool.run_on(0, [&] {
        told_health = "";
        phone->set_service(Error(Code::disabled, "lent out"));
        phone->set_service(std::nullopt);
    });
    const auto is_health = [](const std::string& service) { return service.find("dumpsys battery") != service.npos; };
    for (std::ptrdiff_t answers = 0; answers < 2;) {
        pool.run_on(0, [&] {
            const auto& ended = connector->carrier.ended;
            answers = std::count_if(ended.begin(), ended.end(), is_health);
        });
    }
    EXPECT_FALSE(phone->is_unfit());
}

// Its status stays; whoever waits until it runs again has to hear that it will not.
TEST_F(PhoneService, WhoWatchesAnUnfitPhoneHearsThatItIsDisabled) {
    make_unfit();
    pool.run_on(0, [&] {
        ASSERT_TRUE(phone->gate().enter(command));
        int told = 0;
        looker.look = [&](const fleet::Phone& p) {
            told += p.out_of_service() ? 1 : 0;
            return false;
        };
        phone->set_service(Error(Code::disabled, "lent out"));
        EXPECT_EQ(told, 1);
        looker.look = nullptr;
        phone->gate().exit();
    });
}

TEST_F(PhoneService, ALostPhoneThatIsDisabledIsNotTriedAgain) {
    make();
    pool.run_on(0, [&] {
        connector->down(Error(Code::link_lost, "cable"), false);
        phone->set_service(Error(Code::disabled, "swollen battery"));
        connector->come_back();  // it is plugged in
        EXPECT_EQ(connector->starts, 1);
    });
}

TEST_F(PhoneService, APhoneThatNobodyWatchesIsNotAsked) {
    upkeep.alive_every = 5ms;
    make();
    wait_for([](const fleet::Phone& p) { return p.state().condition == fleet::Condition::running; });
    std::size_t before = 0;
    pool.run_on(0, [&] {
        phone->unwatch(looker);
        before = connector->carrier.opened.size();
    });
    let_time_pass(pool, kLongerThanALadder);
    pool.run_on(0, [&] { EXPECT_EQ(connector->carrier.opened.size(), before); });
}

TEST_F(PhoneService, AnAttemptToRebootThatThePhoneRefusedIsOver) {
    refused = "reboot:";
    upkeep.ladder = {{RungKind::reboot, 0ms, 1h}};
    make();
    wait_for([&](const fleet::Phone&) { return tried(RungKind::reboot) > 0; });
    let_time_pass(pool, kLongerThanALadder);
    pool.run_on(0, [&] { EXPECT_NE(status(), Status::stopping) << phone->state().why; });
}

TEST_F(PhoneService, AnAttemptToRebootThatThePhoneTookAndDidNotDoIsOver) {
    taken = "reboot:";
    told_boot = "\n";  // it hangs while it boots
    upkeep.ladder = {{RungKind::reboot, 0ms, 20ms}, {RungKind::ask, 0ms, 0ms}};
    make();
    wait_for([](const fleet::Phone& p) { return p.state().status() == Status::stopping; });
    let_time_pass(pool, kLongerThanALadder);
    pool.run_on(0, [&] {
        EXPECT_EQ(status(), Status::starting);
        EXPECT_EQ(phone->state().why, "it did not reboot");
        EXPECT_EQ(connector->carrier.open_now(), 0u);
    });
    EXPECT_EQ(tried(RungKind::ask), 1u) << "the ladder does not go on";
}

// Who says last that it reboots says when that is over.
TEST_F(PhoneService, ARebootOfACommandOutlivesThatOfTheLadder) {
    taken = "reboot:";
    upkeep.ladder = {{RungKind::reboot, 0ms, 20ms}};
    make();
    wait_for([](const fleet::Phone& p) { return p.state().status() == Status::stopping; });
    pool.run_on(0, [&] { phone->show_reboot(true, "a command"); });
    let_time_pass(pool, kLongerThanALadder);
    pool.run_on(0, [&] { EXPECT_EQ(status(), Status::stopping); });
}

TEST_F(PhoneService, APhoneThatWentToRebootMayStayAwayLonger) {
    taken = "reboot:";
    upkeep.ladder = {{RungKind::reboot, 0ms, 50ms}};
    looker.look = [&](const fleet::Phone& p) {
        if (p.state().status() != Status::stopping) return false;
        pool.at(0).post([&] {
            connector->behave = FakeConnector::Behave::absent;
            connector->down(Error(Code::link_lost, "it went"), false);
        });
        return true;
    };
    make();
    let_time_pass(pool, 2 * kLongerThanALadder);
    pool.run_on(0, [&] { EXPECT_EQ(phone->state().intent, fleet::Intent::reboot) << phone->state().why; });
}

}  // namespace
}  // namespace drover::test
