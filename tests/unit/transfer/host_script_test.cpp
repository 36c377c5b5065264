// A script on a phone: its limit is that of push and run, and the row waits for no removal.
#include "transfer/host_script.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <array>

#include "base/work_pool.hpp"
#include "dispatch/dispatcher.hpp"
#include "support/fake_phone.hpp"
#include "support/temp_dir.hpp"

namespace drover::transfer {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

bool is_removal(std::string_view service) { return service.find(":rm -f ") != std::string_view::npos; }

// A phone that takes files, and runs scripts and removes them as it is told.
class HostScript : public ::testing::Test, protected RowSink {
protected:
    explicit HostScript(std::size_t phones = 1) : fleet(phones, 1) {
        for (std::size_t i = 0; i < phones; ++i) fleet.at(i, [this](test::FakeConnector& c) { prepare(c); });
    }
    void prepare(test::FakeConnector& c) {
        auto& carrier = c.carrier;
        carrier.before_answer = [this, &c](test::FakeCarrier& phone, std::string_view service) {
            if (goes_away && service != "sync:") return c.down(Error(Code::link_lost, "cable"), true);
            phone.behave = service == "sync:"    ? test::FakeCarrier::Behave::opens_only
                           : is_removal(service) ? removal
                                                 : script;
            if (at_script && service.find(":sh ") != std::string_view::npos) at_script();
            phone.turns = is_removal(service) ? removal_turns : 0;
        };
        carrier.on_write = [this, &carrier](adb::StreamId id, ByteView bytes) { sync(carrier, id, bytes); };
    }
    void sync(test::FakeCarrier& phone, adb::StreamId id, ByteView bytes) const {
        adb::SyncBytes out;
        if (as_text(bytes).starts_with("STAT")) adb::append_sync_stat(out, adb::SyncId::lstat_v1, {});
        if (as_text(bytes).find("DONE") != std::string_view::npos && takes_files) adb::append_sync_okay(out);
        if (!out.empty()) phone.say(id, std::move(out));
    }
    void on_row(Row given) override {
        row = std::move(given);
        ++rows;
        under_way_then = removals->under_way();
        if (at_row) at_row();
    }
    void on_done() override {}

    void run(std::chrono::milliseconds total) {
        const auto path = dir.write("s.sh", "echo hi\n").string();
        auto plan = plan_push(local_files(), {path});
        ASSERT_TRUE(plan);
        Limits limits;
        limits.total = total;
        dispatch::Request request;
        request.targets = fleet.all();
        request.descriptors_max = descriptors_max;
        request.make_work = [make = make_host_script(pool, std::make_shared<const PushPlan>(*std::move(plan)), "a b",
                                                     limits, nullptr, removals)](std::size_t target, fleet::Phone&) {
            return std::make_unique<dispatch::OperationWork>(make, target);
        };
        with_removals(dispatch::dispatch(std::move(request), *this), removals).reset();
        EXPECT_EQ(removals->under_way(), 0U);
        fleet.at(0, [this](test::FakeConnector& c) { opened = c.carrier.opened; });
        for (std::size_t i = 0; i < fleet.phones.size(); ++i) {
            fleet.at(i, [this](test::FakeConnector& c) {
                open_now += c.carrier.open_now();
                links += c.sink == nullptr ? 0 : 1;
                removed += std::count_if(c.carrier.ended.begin(), c.carrier.ended.end(), is_removal);
            });
        }
    }

    test::TempDir dir;
    WorkPool pool{1};
    test::FakeFleet fleet;
    std::shared_ptr<Removals> removals = std::make_shared<Removals>();
    test::FakeCarrier::Behave script = test::FakeCarrier::Behave::exits, removal = test::FakeCarrier::Behave::exits;
    bool takes_files = true, goes_away = false;
    std::size_t removal_turns = 0, descriptors_max = 0;
    std::function<void()> at_script, at_row;  // on the phone's loop
    Row row;
    std::size_t under_way_then = 0, open_now = 0, links = 0, rows = 0, removed_then = 0;
    std::ptrdiff_t removed = 0;
    std::vector<std::string> opened;
};

TEST_F(HostScript, TheRowDoesNotWaitForTheRemoval) {
    removal = test::FakeCarrier::Behave::opens_only;
    run(std::chrono::seconds(60));
    EXPECT_EQ(row.code, Code::ok) << row.error_msg;
    EXPECT_EQ(row.execute_msg, "ok\n");
    EXPECT_EQ(under_way_then, 1U);
    EXPECT_THAT(opened, ElementsAre("sync:", HasSubstr(":sh '/data/local/tmp/drover-"), HasSubstr(":rm -f '/data/")));
    EXPECT_EQ(open_now, 0U) << "it had its time";
    EXPECT_EQ(links, 0U) << "the link was kept";
}

TEST_F(HostScript, TheLimitIsThatOfTheRun) {
    script = test::FakeCarrier::Behave::opens_only;
    run(std::chrono::milliseconds(200));
    EXPECT_EQ(row.code, Code::timeout);
    EXPECT_THAT(row.error_msg, HasSubstr("not done within 200ms"));
    EXPECT_LT(row.ms, 200U + Removals::kRemovalMax.count());
    EXPECT_EQ(under_way_then, 1U);
    EXPECT_EQ(opened.size(), 3U);
}

TEST_F(HostScript, TheLimitIsThatOfThePushToo) {
    takes_files = false;
    run(std::chrono::milliseconds(200));
    EXPECT_EQ(row.code, Code::timeout);
    EXPECT_THAT(row.error_msg, HasSubstr("not done within 200ms"));
    EXPECT_LT(row.ms, 200U + Removals::kRemovalMax.count());
    EXPECT_EQ(under_way_then, 1U) << "it may have come to its end on the phone";
    EXPECT_THAT(opened, ElementsAre("sync:", HasSubstr(":rm -f '/data/local/tmp/drover-")));
}

TEST_F(HostScript, APhoneThatIsGoneHasNothingRemoved) {
    goes_away = true;
    run(std::chrono::seconds(60));
    EXPECT_EQ(row.code, Code::link_lost);
    EXPECT_EQ(under_way_then, 0U);
    EXPECT_EQ(opened.size(), 2U);
}

// More phones than this process has descriptors for: each gives its link up after its row.
class HostScriptOnMany : public HostScript {
protected:
    HostScriptOnMany() : HostScript(3) {}
};

TEST_F(HostScriptOnMany, EveryScriptIsRemovedBeforeItsLinkIsGivenUp) {
    descriptors_max = 2;
    removal_turns = 20;
    removals = std::make_shared<Removals>(Removals::Rows::wait);
    run(std::chrono::seconds(60));
    EXPECT_EQ(rows, 3U);
    EXPECT_EQ(under_way_then, 1U) << "its end is told after the row";
    EXPECT_EQ(row.code, Code::ok) << row.error_msg;
    EXPECT_EQ(removed, 3);
    EXPECT_EQ(links, 0U);
}

// Without that too: then the rows go first.
TEST_F(HostScriptOnMany, ALinkIsNotGivenUpUnderARemoval) {
    descriptors_max = 2;
    removal_turns = 20;
    run(std::chrono::seconds(60));
    EXPECT_EQ(rows, 3U);
    EXPECT_EQ(removed, 3);
    EXPECT_EQ(links, 0U);
}

TEST_F(HostScript, ARowThatWaitsComesWithTheEndOfTheRemoval) {
    removals = std::make_shared<Removals>(Removals::Rows::wait);
    removal_turns = 20;
    at_row = [this] {
        for (const auto& service : fleet.connectors[0]->carrier.ended) removed_then += is_removal(service) ? 1 : 0;
    };
    run(std::chrono::seconds(60));
    EXPECT_EQ(row.code, Code::ok) << row.error_msg;
    EXPECT_EQ(row.execute_msg, "ok\n");
    EXPECT_EQ(removed_then, 1U);
}

TEST_F(HostScript, ARowThatWaitsDoesNotOnceItIsStopped) {
    removals = std::make_shared<Removals>(Removals::Rows::wait);
    script = test::FakeCarrier::Behave::opens_only;
    removal = test::FakeCarrier::Behave::opens_only;
    run(std::chrono::milliseconds(200));
    EXPECT_EQ(row.code, Code::timeout);
    EXPECT_LT(row.ms, 200U + Removals::kRemovalMax.count());
    EXPECT_EQ(under_way_then, 1U);
}

TEST_F(HostScript, AScriptIsRemovedFromAPhoneThatGoesOutOfServiceMeanwhile) {
    removal_turns = 20;
    at_row = [this] { fleet.phones[0]->set_service(Error(Code::disabled, "a person said so")); };
    run(std::chrono::seconds(60));
    EXPECT_EQ(row.code, Code::ok) << row.error_msg;
    EXPECT_EQ(removed, 1);
    EXPECT_EQ(links, 0U);
}

// Other calls have all but one of the places that a phone has for commands.
class HostScriptOnABusyPhone : public HostScript {
protected:
    struct OtherCommand final : fleet::GateWaiter {
        void on_admitted() override { admitted = true; }
        bool admitted = false;
    };
    HostScriptOnABusyPhone() {
        fleet.at(0, [this](test::FakeConnector&) {
            for (auto& c : others) ASSERT_TRUE(gate().enter(c));
        });
    }
    fleet::CommandGate& gate() { return fleet.phones[0]->gate(); }
    bool idle_after(std::size_t exits) {
        bool idle = false;
        fleet.at(0, [&](test::FakeConnector&) {
            for (std::size_t i = 0; i < exits; ++i) gate().exit();
            idle = gate().idle();
        });
        return idle;
    }
    std::array<OtherCommand, fleet::CommandGate::kCommandsMax - 1> others;
};

TEST_F(HostScriptOnABusyPhone, TheRemovalTakesThePlaceOfTheScript) {
    removal_turns = 20;
    run(std::chrono::seconds(60));
    EXPECT_EQ(row.code, Code::ok) << row.error_msg;
    EXPECT_EQ(under_way_then, 1U);
    EXPECT_EQ(removed, 1);
    EXPECT_TRUE(idle_after(others.size()));
}

TEST_F(HostScriptOnABusyPhone, WhatWaitsForAPlaceTooLongIsGivenUp) {
    OtherCommand next;
    at_script = [&] { EXPECT_FALSE(gate().enter(next)); };
    run(std::chrono::seconds(60));
    EXPECT_EQ(row.code, Code::ok) << row.error_msg;
    EXPECT_EQ(under_way_then, 1U);
    EXPECT_TRUE(next.admitted);
    EXPECT_EQ(removed, 0) << "a phone may have so many commands";
    EXPECT_EQ(opened.size(), 2U);
    EXPECT_TRUE(idle_after(others.size() + 1));
}

}  // namespace
}  // namespace drover::transfer
