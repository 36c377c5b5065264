// The wait for a link: which limit holds in which state of the phone.
#include "dispatch/link_wait.hpp"

#include <gmock/gmock.h>

#include <future>

#include "support/fake_phone.hpp"
#include "support/noted_waiter.hpp"

namespace drover::test {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

class LinkWaitTest : public testing::Test, public dispatch::LinkOwner {
protected:
    using Told = std::pair<Error, Phase>;

    void make_phone(fleet::PhoneShared shared = {}) {
        pool.run_on(0, [&] {
            auto c = std::make_unique<FakeConnector>(pool.at(0));
            connector = c.get();
            phone = std::make_unique<fleet::Phone>(pool.at(0), 0, Instance(), std::move(c), shared);
            wait = std::make_unique<dispatch::LinkWait>(*phone, *this);
        });
    }
    void TearDown() override {
        pool.run_on(0, [&] {
            over = true;
            wait.reset();
            if (phone) phone->leave(other);
            phone.reset();
        });
    }
    void start(Limits::Millis connect, Limits::Millis auth) {
        Limits limits;
        limits.connect = connect;
        limits.auth = auth;
        pool.run_on(0, [&] { wait->start(limits); });
    }
    // What came instead of a link; nothing when it does not come.
    std::optional<Told> no_link() {
        if (told.wait_for(10s) != std::future_status::ready) return std::nullopt;
        return told.get();
    }
    void checks_keys() { connector->sink->on_phase(Phase::auth, fleet::PhoneEvent::authorizing, "checking keys"); }
    // Lets the phone check keys, lose its link and come back, until somebody is told.
    void flap() {
        if (over) return;
        if (connector->sink) {
            checks_keys();
            connector->down(Error(Code::link_lost, "cable"), false);
            connector->come_back();
        }
        pool.at(0).post([this] { flap(); });
    }

    void on_link(adb::Carrier&) override { linked = over = true; }
    void on_no_link(const Error& why, Phase phase) override {
        over = true;
        tell.set_value({why, phase});
    }

    std::promise<Told> tell;
    std::future<Told> told = tell.get_future();
    bool linked = false, over = false;  // the loop's
    NotedWaiter other;
    fleet::IdentityBook book;
    LoopPool pool{1};
    FakeConnector* connector = nullptr;
    std::unique_ptr<fleet::Phone> phone;
    std::unique_ptr<dispatch::LinkWait> wait;
};

TEST_F(LinkWaitTest, ALinkThatServesNobodyYetIsWaitedForWithinTheLimit) {
    fleet::PhoneShared shared;
    shared.identities = &book;
    make_phone(shared);
    std::promise<void> asked;
    pool.run_on(0, [&] {
        connector->carrier.behave = FakeCarrier::Behave::mute;  // does not say who it is
        connector->carrier.before_answer = [&, first = true](FakeCarrier&, std::string_view) mutable {
            if (std::exchange(first, false)) asked.set_value();
        };
        phone->wait(other);
    });
    asked.get_future().get();
    start(20ms, 1h);
    const auto why = no_link();
    ASSERT_TRUE(why);
    EXPECT_EQ(why->first.code, Code::phone_not_found);
    EXPECT_THAT(why->first.message, HasSubstr("serial number"));
}

TEST_F(LinkWaitTest, ChecksOfKeysThatBeganBeforeHaveTheirLimit) {
    make_phone();
    pool.run_on(0, [&] {
        connector->behave = FakeConnector::Behave::mute;
        phone->wait(other);
        checks_keys();
    });
    start(1h, 20ms);
    const auto why = no_link();
    ASSERT_TRUE(why);
    EXPECT_EQ(why->first.code, Code::auth_deadline);
    EXPECT_EQ(why->second, Phase::auth);
}

TEST_F(LinkWaitTest, APhoneThatFlapsWhileItChecksKeysGetsNoMoreTime) {
    make_phone();
    pool.run_on(0, [&] { connector->behave = FakeConnector::Behave::mute; });
    start(1h, 20ms);
    pool.run_on(0, [&] { flap(); });
    EXPECT_TRUE(no_link());
}

TEST_F(LinkWaitTest, ThatChecksOfKeysTakeLongIsNoLateConnection) {
    make_phone();
    pool.run_on(0, [&] { connector->behave = FakeConnector::Behave::mute; });
    start(1h, 20ms);
    pool.run_on(0, [&] { checks_keys(); });
    const auto why = no_link();
    ASSERT_TRUE(why);
    EXPECT_EQ(why->first.code, Code::auth_deadline);
}

// The handshake is that of an attempt that is over; the next one has not begun.
TEST_F(LinkWaitTest, BetweenTwoAttemptsNothingIsConnected) {
    make_phone();
    pool.run_on(0, [&] { connector->behave = FakeConnector::Behave::mute; });
    start(1h, 1h);
    pool.run_on(0, [&] {
        connector->sink->on_phase(Phase::handshake, fleet::PhoneEvent::transport_open, "connected");
        connector->down(Error(Code::phone_not_found, "it hung up"), false);
        wait->expire();
    });
    const auto why = no_link();
    ASSERT_TRUE(why);
    EXPECT_EQ(why->first.message, "it hung up");
    EXPECT_EQ(why->second, Phase::connect);
}

// The link came, did not tell its serial number and then nothing at all: it was dropped.
TEST_F(LinkWaitTest, AfterALinkThatWasDroppedNothingIsConnected) {
    struct Looker final : fleet::StateListener {
        std::function<void()> at_offline;
        void on_state(const fleet::Phone& phone) override {
            if (phone.state().condition == fleet::Condition::offline && at_offline)
                std::exchange(at_offline, nullptr)();
        }
    } looker;
    looker.at_offline = [&] { wait->expire(); };
    Upkeep upkeep;
    fleet::RecoveryCounts counts;
    upkeep.alive_every = upkeep.alive_answer = 5ms;
    fleet::PhoneShared shared;
    shared.identities = &book;
    shared.upkeep = &upkeep;
    shared.counts = &counts;
    make_phone(shared);
    pool.run_on(0, [&] {
        connector->behave = FakeConnector::Behave::mute;
        connector->carrier.behave = FakeCarrier::Behave::mute;
        phone->watch(looker);
    });
    start(1h, 1h);
    pool.run_on(0, [&] {
        connector->sink->on_phase(Phase::handshake, fleet::PhoneEvent::transport_open, "connected");
        connector->sink->on_online(connector->carrier);
    });
    const auto why = no_link();
    pool.run_on(0, [&] {
        phone->unwatch(looker);
        wait.reset();
        phone.reset();
    });
    ASSERT_TRUE(why);
    EXPECT_EQ(why->second, Phase::connect);
    EXPECT_EQ(why->first.message, "it does not answer");
}

TEST_F(LinkWaitTest, WhoLeftIsNotTold) {
    make_phone();
    pool.run_on(0, [&] { connector->behave = FakeConnector::Behave::mute; });
    start(1h, 1h);
    pool.run_on(0, [&] {
        wait->cancel();
        connector->sink->on_online(connector->carrier);
        EXPECT_FALSE(over);
    });
}

}  // namespace
}  // namespace drover::test
