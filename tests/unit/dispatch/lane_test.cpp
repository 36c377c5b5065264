// Calls that end while a phone waits: at its gate, for the window, for a link.
#include <gmock/gmock.h>

#include "dispatch/command_work.hpp"
#include "dispatch/dispatcher.hpp"
#include "dispatch/probe_work.hpp"
#include "support/fake_phone.hpp"

namespace drover::test {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

struct NotedRows final : RowSink {
    std::vector<Row> rows;
    void on_row(Row row) override { rows.push_back(std::move(row)); }
    void on_done() override {}
};

// Commands open and never end by themselves.
class LaneTest : public testing::Test {
protected:
    struct Running {
        std::unique_ptr<NotedRows> rows = std::make_unique<NotedRows>();
        std::unique_ptr<Call> call;
    };

    LaneTest() {
        for (const std::size_t i : {0, 1})
            fleet.at(i, [](FakeConnector& c) { c.carrier.behave = FakeCarrier::Behave::opens_only; });
    }
    Running run(std::vector<fleet::Phone*> targets, const Limits& limits = {}, std::size_t max_parallel = 0) {
        dispatch::Request request;
        request.targets = std::move(targets);
        request.max_parallel = max_parallel;
        request.make_work = [limits](std::size_t target, fleet::Phone&) {
            return std::make_unique<dispatch::CommandWork>(Command{"cat", limits}, nullptr, target);
        };
        Running running;
        running.call = dispatch::dispatch(std::move(request), *running.rows);
        fleet.at(0, [](FakeConnector&) {});  // the loop has seen it
        return running;
    }
    std::vector<Running> fill(fleet::Phone* phone) {
        std::vector<Running> all;
        for (std::size_t i = 0; i < fleet::CommandGate::kCommandsMax; ++i) all.push_back(run({phone}));
        return all;
    }
    static void end(Running& running) {
        running.call->stop(Error(Code::cancelled, "enough"));
        running.call->wait();
    }
    void expect_idle(std::size_t i) {
        fleet.at(i, [&](FakeConnector&) { EXPECT_TRUE(fleet.phones[i]->gate().idle()); });
    }

    FakeFleet fleet{2, 1};
    fleet::Phone* const a = fleet.phones[0].get();
    fleet::Phone* const b = fleet.phones[1].get();
};

TEST_F(LaneTest, WhoIsStoppedAtTheGateTakesNoPlaceThere) {
    auto full = fill(a);
    auto waits = run({a});
    end(waits);
    ASSERT_EQ(waits.rows->rows.size(), 1U);
    EXPECT_EQ(waits.rows->rows[0].phase, Phase::queue);
    for (auto& running : full) end(running);
    expect_idle(0);
}

TEST_F(LaneTest, WhoIsStoppedWhileItWaitsForTheWindowGivesItsPlaceAtTheGateBack) {
    auto full = fill(a);
    auto waits = run({a, b}, {}, 1);  // b has the window
    end(full[0]);                     // a has room
    end(waits);
    ASSERT_EQ(waits.rows->rows.size(), 2U);
    EXPECT_EQ(waits.rows->rows[0].phase, Phase::queue);
    for (auto& running : full) end(running);
    expect_idle(0);
    expect_idle(1);
}

TEST_F(LaneTest, ACommandThatIsLateBeforeThereIsALinkTellsWhyThereIsNone) {
    fleet.at(0, [](FakeConnector& c) { c.behave = FakeConnector::Behave::absent; });
    Limits limits;
    limits.connect = 1h;
    limits.total = 20ms;
    auto late = run({a}, limits);
    late.call->wait();
    EXPECT_EQ(late.rows->rows[0].code, Code::phone_not_found);
    EXPECT_THAT(late.rows->rows[0].error_msg, HasSubstr("refused"));
}

TEST_F(LaneTest, APhoneOutOfServiceLeftTheQueueForNothing) {
    fleet.at(0, [&](FakeConnector&) { a->set_service(Error(Code::disabled, "lent out")); });
    auto refused = run({a});
    refused.call->wait();
    EXPECT_EQ(refused.rows->rows[0].code, Code::disabled);
    EXPECT_EQ(refused.rows->rows[0].phase, Phase::queue);
    EXPECT_EQ(refused.rows->rows[0].attempts, 0U);
}

TEST_F(LaneTest, AProbeTellsWhyNothingIsKnown) {
    fleet.at(0, [](FakeConnector& c) { c.behave = FakeConnector::Behave::mute; });
    PhoneInfo info;
    dispatch::Request request;
    request.targets = {a};
    request.make_work = [&](std::size_t, fleet::Phone&) { return std::make_unique<dispatch::ProbeWork>(20ms, info); };
    NotedRows rows;
    dispatch::dispatch(std::move(request), rows)->wait();
    EXPECT_EQ(rows.rows[0].code, Code::phone_not_found);
    EXPECT_EQ(info.why, "no link in time");
}

}  // namespace
}  // namespace drover::test
