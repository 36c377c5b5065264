// Calls over fake phones: one row per target whatever happens.
#include "dispatch/dispatcher.hpp"

#include <gmock/gmock.h>

#include <condition_variable>
#include <mutex>
#include <set>

#include "dispatch/command_work.hpp"
#include "support/fake_phone.hpp"

namespace drover::test {
namespace {

using namespace std::chrono_literals;
using dispatch::Request;

// Collects rows; a test waits for a count of them, never for time.
struct Rows final : RowSink {
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<Row> rows;
    int done = 0;

    void on_row(Row row) override {
        const std::lock_guard lock(mutex);
        rows.push_back(std::move(row));
        changed.notify_all();
    }
    void on_done() override {
        const std::lock_guard lock(mutex);
        ++done;
    }
    void wait_for(std::size_t n) {
        std::unique_lock lock(mutex);
        changed.wait(lock, [&] { return rows.size() >= n; });
    }
    const Row& of(std::size_t index) {
        for (const Row& r : rows) {
            if (r.index == index) return r;
        }
        throw std::out_of_range("no row");
    }
};

Command command(std::string text, Limits limits = {}) { return {std::move(text), limits}; }

Request request(FakeFleet& fleet, const Command& c) {
    Request r;
    r.targets = fleet.all();
    r.make_work = [c](std::size_t target, fleet::Phone&) {
        return std::make_unique<dispatch::CommandWork>(c, nullptr, target);
    };
    return r;
}

TEST(Dispatcher, OneRowPerTargetOverSeveralLoops) {
    FakeFleet fleet(50, 3);
    Rows rows;
    dispatch::dispatch(request(fleet, command("true")), rows)->wait();
    ASSERT_EQ(rows.rows.size(), 50u);
    EXPECT_EQ(rows.done, 1);
    std::set<std::size_t> seen;
    for (const Row& r : rows.rows) {
        seen.insert(r.index);
        EXPECT_EQ(r.instance_id, "p" + std::to_string(r.index));
        EXPECT_TRUE(r.ok()) << r.error_msg;
        EXPECT_EQ(r.exit_code, 0);
        EXPECT_EQ(r.execute_msg, "ok\n");
        EXPECT_EQ(r.phase, Phase::done);
        EXPECT_EQ(r.attempts, 1u);
    }
    EXPECT_EQ(seen.size(), 50u);
    fleet.at(0, [](FakeConnector& c) { EXPECT_THAT(c.carrier.opened, ::testing::ElementsAre("shell,v2,raw:true")); });
}

TEST(Dispatcher, NoTargetsEndsAtOnce) {
    FakeFleet fleet(0, 1);
    Rows rows;
    dispatch::dispatch(request(fleet, command("true")), rows)->wait();
    EXPECT_EQ(rows.done, 1);
}

TEST(Dispatcher, EachFaultHasItsCodeAndTouchesNobodyElse) {
    FakeFleet fleet(8, 2);
    fleet.at(0, [](FakeConnector& c) { c.behave = FakeConnector::Behave::absent; });
    fleet.at(1, [](FakeConnector& c) { c.behave = FakeConnector::Behave::unauthorized; });
    fleet.at(2, [](FakeConnector& c) { c.behave = FakeConnector::Behave::wants_tls; });
    fleet.at(3, [](FakeConnector& c) { c.carrier.behave = FakeCarrier::Behave::refuses; });
    fleet.at(4, [](FakeConnector& c) { c.carrier.behave = FakeCarrier::Behave::mute; });
    fleet.at(5, [](FakeConnector& c) { c.carrier.behave = FakeCarrier::Behave::loses_link; });
    fleet.at(6, [](FakeConnector& c) { c.carrier.exit_code = 3; });
    Limits limits;
    limits.connect = 30ms;
    limits.open = 40ms;
    Rows rows;
    dispatch::dispatch(request(fleet, command("true", limits)), rows)->wait();
    ASSERT_EQ(rows.rows.size(), 8u);
    EXPECT_EQ(rows.of(0).code, Code::phone_not_found);
    EXPECT_EQ(rows.of(0).attempts, 0u);
    EXPECT_THAT(rows.of(0).error_msg, ::testing::HasSubstr("refused"));
    EXPECT_EQ(rows.of(1).code, Code::unauthorized);
    EXPECT_EQ(rows.of(1).phase, Phase::auth);
    EXPECT_EQ(rows.of(2).code, Code::wants_tls);
    EXPECT_EQ(rows.of(3).code, Code::refused);
    EXPECT_EQ(rows.of(3).phase, Phase::open);
    EXPECT_EQ(rows.of(4).code, Code::open_deadline);
    EXPECT_EQ(rows.of(5).code, Code::link_lost);
    EXPECT_EQ(rows.of(6).code, Code::command_failed);
    EXPECT_EQ(rows.of(6).exit_code, 3);
    EXPECT_TRUE(rows.of(7).ok());
    fleet.at(4, [](FakeConnector& c) { EXPECT_EQ(c.carrier.open_now(), 0u); });  // closed on the phone too
}

TEST(Dispatcher, TimeoutClosesTheCommandOnThePhone) {
    FakeFleet fleet(1, 1);
    fleet.at(0, [](FakeConnector& c) { c.carrier.behave = FakeCarrier::Behave::opens_only; });
    Limits limits;
    limits.total = 40ms;
    Rows rows;
    dispatch::dispatch(request(fleet, command("sleep 9", limits)), rows)->wait();
    EXPECT_EQ(rows.of(0).code, Code::timeout);
    EXPECT_EQ(rows.of(0).phase, Phase::first_byte);
    EXPECT_GE(rows.of(0).ms, 40u);
    fleet.at(0, [](FakeConnector& c) { EXPECT_EQ(c.carrier.closes, 1u); });
}

TEST(Dispatcher, FirstByteDeadline) {
    FakeFleet fleet(1, 1);
    fleet.at(0, [](FakeConnector& c) { c.carrier.behave = FakeCarrier::Behave::opens_only; });
    Limits limits;
    limits.first_byte = 30ms;
    Rows rows;
    dispatch::dispatch(request(fleet, command("sleep 9", limits)), rows)->wait();
    EXPECT_EQ(rows.of(0).code, Code::first_byte_deadline);
}

TEST(Dispatcher, StopGivesEveryMissingRow) {
    FakeFleet fleet(20, 2);
    for (std::size_t i = 0; i < 20; ++i) {
        if (i % 4 != 0) fleet.at(i, [](FakeConnector& c) { c.carrier.behave = FakeCarrier::Behave::opens_only; });
    }
    Request r = request(fleet, command("sleep 9"));
    r.max_parallel = 19;
    Rows rows;
    auto call = dispatch::dispatch(std::move(r), rows);
    rows.wait_for(1);
    call->stop(Error(Code::interrupted, "stopped"));
    call->stop(Error(Code::cancelled, "too late, the first reason counts"));
    call->wait();
    ASSERT_EQ(rows.rows.size(), 20u);
    for (const Row& row : rows.rows) EXPECT_TRUE(row.ok() || row.code == Code::interrupted) << row.error_msg;
    EXPECT_EQ(rows.of(1).code, Code::interrupted);
    for (std::size_t i = 0; i < 20; ++i) fleet.at(i, [](FakeConnector& c) { EXPECT_EQ(c.carrier.open_now(), 0u); });
}

TEST(Dispatcher, DeadlineOfTheCallCoversQueuedTargets) {
    FakeFleet fleet(6, 2);
    for (std::size_t i = 0; i < 6; ++i)
        fleet.at(i, [](FakeConnector& c) { c.carrier.behave = FakeCarrier::Behave::opens_only; });
    Request r = request(fleet, command("sleep 9"));
    r.max_parallel = 2;
    r.deadline = 50ms;
    Rows rows;
    dispatch::dispatch(std::move(r), rows)->wait();
    ASSERT_EQ(rows.rows.size(), 6u);
    std::size_t queued = 0;
    for (const Row& row : rows.rows) {
        EXPECT_EQ(row.code, Code::call_deadline);
        queued += row.phase == Phase::queue;
    }
    EXPECT_EQ(queued, 4u);
}

// Counts how many works are alive between start and row, over all loops.
class CountingWork final : public dispatch::Work {
public:
    CountingWork(std::atomic<int>& now, std::atomic<int>& most) : now_(now), most_(most) {}
    void start(fleet::Phone& phone, dispatch::WorkDone& done) override {
        const int n = ++now_;
        for (int m = most_; n > m && !most_.compare_exchange_weak(m, n);) {}
        phone.loop().post([this, &done] {
            --now_;
            done.on_row(Row{});
        });
    }
    void stop(const Error&) override {}

private:
    std::atomic<int>& now_;
    std::atomic<int>& most_;
};

TEST(Dispatcher, TheWindowHoldsOverAllLoopsAndNothingStarves) {
    for (int round = 0; round < 20; ++round) {
        FakeFleet fleet(60, 4);
        std::atomic<int> now{0}, most{0};
        Request r;
        r.targets = fleet.all();
        r.max_parallel = 3;
        r.make_work = [&](std::size_t, fleet::Phone&) { return std::make_unique<CountingWork>(now, most); };
        Rows rows;
        dispatch::dispatch(std::move(r), rows)->wait();
        EXPECT_EQ(rows.rows.size(), 60u);
        EXPECT_LE(most, 3);
        EXPECT_GE(most, 1);
    }
}

TEST(Dispatcher, MorePhonesThanDescriptorsShareThem) {
    constexpr std::size_t kPhones = 30, kLinks = 4;
    FakeFleet fleet(kPhones, 2);
    Request r = request(fleet, command("true"));
    r.descriptors_max = 2 * kLinks;  // of which each phone takes two
    Rows rows;
    dispatch::dispatch(std::move(r), rows)->wait();
    ASSERT_EQ(rows.rows.size(), kPhones);
    for (const Row& row : rows.rows) EXPECT_TRUE(row.ok()) << row.error_msg;
    std::size_t linked = 0;
    for (std::size_t i = 0; i < kPhones; ++i) fleet.at(i, [&](FakeConnector& c) { linked += c.sink ? 1 : 0; });
    EXPECT_LE(linked, 2 * kLinks) << "only those that ended last, and those before them, may still have theirs";
}

TEST(Dispatcher, LinksStayWhereThereIsRoom) {
    FakeFleet fleet(4, 1);
    Request r = request(fleet, command("true"));
    r.descriptors_max = 8;
    Rows rows;
    dispatch::dispatch(std::move(r), rows)->wait();
    for (std::size_t i = 0; i < 4; ++i) fleet.at(i, [](FakeConnector& c) { EXPECT_NE(c.sink, nullptr); });
}

TEST(Dispatcher, APhoneThatTakesOneDescriptorCountsForOne) {
    FakeFleet fleet(8, 1);
    for (std::size_t i = 0; i < 8; ++i) fleet.at(i, [](FakeConnector& c) { c.takes = 1; });
    Request r = request(fleet, command("true"));
    r.descriptors_max = 8;
    Rows rows;
    dispatch::dispatch(std::move(r), rows)->wait();
    for (std::size_t i = 0; i < 8; ++i) fleet.at(i, [](FakeConnector& c) { EXPECT_NE(c.sink, nullptr); });
}

TEST(Dispatcher, ThePhonesOwnCapQueuesCallsPastIt) {
    FakeFleet fleet(1, 1);
    fleet.at(0, [](FakeConnector& c) { c.carrier.behave = FakeCarrier::Behave::opens_only; });
    constexpr std::size_t kCalls = fleet::CommandGate::kCommandsMax + 3;
    std::vector<std::unique_ptr<Rows>> rows;
    std::vector<std::unique_ptr<Call>> calls;
    for (std::size_t i = 0; i < kCalls; ++i) {
        rows.push_back(std::make_unique<Rows>());
        calls.push_back(dispatch::dispatch(request(fleet, command("sleep 9")), *rows.back()));
    }
    fleet.at(0, [](FakeConnector&) {});  // the loop has seen all calls, and
    fleet.at(0, [](FakeConnector&) {});  // the posted connect after them
    fleet.at(0, [](FakeConnector& c) { EXPECT_EQ(c.carrier.opened.size(), fleet::CommandGate::kCommandsMax); });
    calls[0]->stop(Error(Code::cancelled, "make room"));
    calls[0]->wait();
    fleet.at(0, [](FakeConnector& c) { EXPECT_EQ(c.carrier.opened.size(), fleet::CommandGate::kCommandsMax + 1); });
    calls.back()->stop(Error(Code::cancelled, "still queued"));
    calls.back()->wait();
    EXPECT_EQ(rows.back()->of(0).phase, Phase::queue);
    for (auto& c : calls) c->stop(Error(Code::cancelled, "end"));
    for (auto& c : calls) c->wait();
}

TEST(Dispatcher, APhoneThatIsFullTakesNoPlaceFromTheOthers) {
    FakeFleet fleet(3, 1);
    fleet.at(0, [](FakeConnector& c) { c.carrier.behave = FakeCarrier::Behave::opens_only; });
    std::vector<std::unique_ptr<Rows>> kept;
    std::vector<std::unique_ptr<Call>> calls;
    for (std::size_t i = 0; i < fleet::CommandGate::kCommandsMax; ++i) {
        kept.push_back(std::make_unique<Rows>());
        Request r = request(fleet, command("sleep 9"));
        r.targets.resize(1);
        calls.push_back(dispatch::dispatch(std::move(r), *kept.back()));
    }
    fleet.at(0, [](FakeConnector&) {});
    Rows rows;
    Request r = request(fleet, command("true"));
    r.max_parallel = 1;
    const auto call = dispatch::dispatch(std::move(r), rows);
    rows.wait_for(2);
    for (auto& c : calls) c->stop(Error(Code::cancelled, "make room"));
    call->stop(Error(Code::cancelled, "enough"));
    call->wait();
    EXPECT_EQ(rows.of(1).code, Code::ok);
    EXPECT_EQ(rows.of(2).code, Code::ok);
    EXPECT_EQ(rows.of(0).code, Code::cancelled);
    for (auto& c : calls) c->wait();
}

TEST(Dispatcher, AThousandPhonesThatAnswerAtOnceDoNotRecurse) {
    FakeFleet fleet(1000, 1);
    for (int round = 0; round < 3; ++round) {
        Request r = request(fleet, command("true"));
        r.max_parallel = 1;
        Rows rows;
        dispatch::dispatch(std::move(r), rows)->wait();
        EXPECT_EQ(rows.rows.size(), 1000u);
    }
}

}  // namespace
}  // namespace drover::test
