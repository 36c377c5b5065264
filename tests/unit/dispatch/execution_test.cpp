// One command on one phone: output that its sink cannot take yet, and what comes late.
#include "dispatch/execution.hpp"

#include <gmock/gmock.h>

#include <future>
#include <thread>

#include "support/fake_phone.hpp"
#include "support/loop_time.hpp"

namespace drover::test {
namespace {

using namespace std::chrono_literals;

// Takes nothing at once. The loop's, as is all of the fixture that the phone calls.
struct SlowSink final : OutputSink {
    std::vector<std::function<void()>> held;
    std::function<void()> at_output = [] {};
    bool takes = false;

    Flow on_output(std::size_t, OutputStream, std::string_view, std::function<void()> resume) override {
        held.push_back(std::move(resume));
        at_output();
        return takes ? Flow::go_on : Flow::later;
    }
};

class ExecutionTest : public testing::Test, public dispatch::ExecutionOwner {
protected:
    static adb::SyncBytes packet(OutputStream stream, std::string_view text) {
        adb::SyncBytes p(5 + text.size());
        p[0] = stream == OutputStream::out ? 1 : 2;
        p[1] = static_cast<std::uint8_t>(text.size());
        std::copy(text.begin(), text.end(), p.begin() + 5);
        return p;
    }
    ExecutionTest() {
        fleet.at(0, [&](FakeConnector& c) {
            c.carrier.behave = FakeCarrier::Behave::opens_only;
            execution.emplace(*fleet.phones[0], *this, &sink, 0);
        });
    }
    ~ExecutionTest() override {
        fleet.at(0, [&](FakeConnector&) { execution.reset(); });
    }
    // Runs a command that says this and goes on.
    void run(const Limits& limits, const adb::SyncBytes& says) {
        fleet.at(0, [&](FakeConnector& c) {
            c.carrier.before_answer = [says](FakeCarrier& carrier, std::string_view) { carrier.say(1, says); };
            execution->start({"cat", limits});
        });
    }
    void on_result(Row&& row) override {
        ++rows;
        told.set_value(std::move(row));
    }
    Row result() {
        auto future = told.get_future();
        return future.wait_for(10s) == std::future_status::ready ? future.get() : Row{};
    }

    SlowSink sink;
    int rows = 0;
    std::promise<Row> told;
    void on_past() { past.set_value(); }
    std::promise<void> past;  // a timer after all others
    FakeFleet fleet{1, 1};
    Timer after_all = Timer::calls<&ExecutionTest::on_past>(*this);
    std::optional<dispatch::Execution> execution;
};

TEST_F(ExecutionTest, APhoneThatIsHeldBackIsNotSilent) {
    Limits limits;
    limits.silence = 20ms;
    limits.total = 60ms;
    run(limits, packet(OutputStream::out, "x"));
    EXPECT_EQ(result().code, Code::timeout);
}

TEST_F(ExecutionTest, APhoneThatMayGoOnIsSilentFromThenOn) {
    Limits limits;
    limits.silence = 20ms;
    limits.total = 1h;
    sink.at_output = [&] { sink.held.back()(); };
    run(limits, packet(OutputStream::out, "x"));
    const Row row = result();
    EXPECT_EQ(row.code, Code::silence_deadline);
    EXPECT_EQ(row.phase, Phase::run);
    fleet.at(0, [&](FakeConnector& c) { EXPECT_EQ(c.carrier.acknowledged, 1u); });
}

TEST_F(ExecutionTest, SilenceCountsFromTheOpeningWhereNothingIsSaidOfTheFirstByte) {
    Limits limits;
    limits.silence = 20ms;
    limits.total = 1h;
    run(limits, {});
    const Row row = result();
    EXPECT_EQ(row.code, Code::silence_deadline);
    EXPECT_EQ(row.phase, Phase::first_byte);
}

TEST_F(ExecutionTest, TheFirstByteHasItsLimitAndTheOthersTheirs) {
    Limits limits;
    limits.first_byte = 1h;
    limits.silence = 20ms;
    limits.total = 1h;
    sink.takes = true;
    run(limits, packet(OutputStream::out, "x"));
    EXPECT_EQ(result().code, Code::silence_deadline);
}

// A phone packs what a command writes: only when all of it is where it stays there is room for more.
TEST_F(ExecutionTest, APhoneGoesOnWhenAllPiecesOfItsPacketAreTaken) {
    auto two = packet(OutputStream::out, "x");
    const auto second = packet(OutputStream::err, "y");
    two.insert(two.end(), second.begin(), second.end());
    std::promise<void> both;
    sink.at_output = [&] {
        if (sink.held.size() == 2) both.set_value();
    };
    run({}, two);
    both.get_future().wait();
    sink.held[0]();
    fleet.at(0, [&](FakeConnector& c) { EXPECT_EQ(c.carrier.acknowledged, 0u); });
    sink.held[1]();
    fleet.at(0, [&](FakeConnector& c) {
        EXPECT_EQ(c.carrier.acknowledged, 1u);
        execution->stop(Error(Code::cancelled, "enough"));
    });
    EXPECT_EQ(result().output_bytes, 2u);
}

TEST_F(ExecutionTest, AStreamIsShownUntilItsRow) {
    const auto shown = [&] {
        fleet::Activity now{};
        fleet.at(0, [&](FakeConnector&) { now = fleet.phones[0]->state().activity; });
        return now;
    };
    fleet.at(0, [&](FakeConnector&) { execution->start({"logcat -v time", {}}); });
    while (shown() != fleet::Activity::streaming) std::this_thread::yield();
    fleet.at(0, [&](FakeConnector&) { execution->stop(Error(Code::cancelled, "enough")); });
    EXPECT_EQ(shown(), fleet::Activity::idle);
}

TEST_F(ExecutionTest, OneOfTwoStreamsThatEndsLeavesTheOtherShown) {
    struct Ends final : dispatch::ExecutionOwner {
        void on_result(Row&&) override {}
    } other_owner;
    std::optional<dispatch::Execution> other;
    fleet.at(0, [&](FakeConnector&) {
        other.emplace(*fleet.phones[0], other_owner, nullptr, 0);
        other->start({"logcat -v time", {}});
        execution->start({"logcat -v brief", {}});
    });
    for (std::size_t open = 0; open < 2;) fleet.at(0, [&](FakeConnector& c) { open = c.carrier.open_now(); });
    let_time_pass(fleet.pool, dispatch::kCloseInputAfter + 10ms);  // both are shown by then
    fleet.at(0, [&](FakeConnector&) {
        other->stop(Error(Code::cancelled, "enough"));
        EXPECT_EQ(fleet.phones[0]->state().activity, fleet::Activity::streaming);
        execution->stop(Error(Code::cancelled, "enough"));
        EXPECT_EQ(fleet.phones[0]->state().activity, fleet::Activity::idle);
        other.reset();
    });
}

TEST_F(ExecutionTest, WhatComesAfterTheRowChangesNothing) {
    std::promise<void> said;
    sink.at_output = [&] { said.set_value(); };
    Limits limits;
    limits.silence = 1ms;
    run(limits, packet(OutputStream::out, "x"));
    said.get_future().wait();
    fleet.at(0, [&](FakeConnector&) { execution->stop(Error(Code::cancelled, "enough")); });
    sink.held[0]();
    fleet.at(0, [&](FakeConnector& c) {
        execution->stop(Error(Code::interrupted, "too late"));
        execution->expire("too late");
        c.down(Error(Code::link_lost, "cable"), false);
        EXPECT_EQ(c.carrier.acknowledged, 0u);
        EXPECT_EQ(c.carrier.closes, 1u);
    });
    EXPECT_EQ(result().code, Code::cancelled);
    fleet.at(0, [&](FakeConnector&) { fleet.pool.at(0).arm_after(after_all, 20ms); });
    past.get_future().wait();
    EXPECT_EQ(rows, 1);
}

}  // namespace
}  // namespace drover::test
