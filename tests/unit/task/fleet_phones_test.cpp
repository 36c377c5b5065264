// Phones of a real fleet over a reload: what is counted, and how often.
#include "task/fleet_phones.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <thread>

#include "base/unique_fd.hpp"
#include "support/fake_adbd.hpp"
#include "support/listener.hpp"
#include "support/temp_dir.hpp"

namespace drover::task {
namespace {

// One phone: it is linked while its connection is held, and tries again by itself.
class FleetPhonesTest : public testing::Test {
protected:
    void SetUp() override {
        FleetOptions options;
        options.inventory = dir.write(
            "i.yaml", fmt::format("version: 1\ninstances:\n  - {{id: a, address: '127.0.0.1:{}'}}\n", listener.port));
        auto opened = FleetPhones::open(options);
        ASSERT_TRUE(opened) << opened.error().message;
        phones = std::move(*opened);
        come();
    }
    void come() {
        connection = UniqueFd(listener.accept());
        const auto hello = test::packet(adb::Command::cnxn, 0x01000001, 4096, test::kModernBanner);
        ASSERT_EQ(::write(connection.get(), hello.data(), hello.size()), static_cast<ssize_t>(hello.size()));
        while (phones->status("a")->condition != "booting") std::this_thread::yield();
    }
    void go() {
        connection.reset();
        while (phones->status("a")->condition == "booting") std::this_thread::yield();
    }

    const test::TempDir dir;
    test::Listener listener;
    UniqueFd connection;
    std::unique_ptr<FleetPhones> phones;
};

TEST_F(FleetPhonesTest, APhoneThatComesBackIsCountedAlsoAfterAReload) {
    EXPECT_EQ(phones->reconnects(), 0U);
    go();
    ASSERT_TRUE(phones->reload());
    come();
    EXPECT_EQ(phones->reconnects(), 1U);
}

// As a call does that outlives a reload.
TEST_F(FleetPhonesTest, APhoneThatComesBackIsCountedOnceHoweverManyFleetsHaveIt) {
    const auto before = phones->fleet();
    ASSERT_TRUE(phones->reload());
    go();
    come();
    // The older fleet has heard of it before this one.
    EXPECT_EQ(phones->reconnects(), 1U);
}

struct Rows final : RowSink {
    std::vector<Row> rows;
    int done = 0;
    void on_row(Row row) override { rows.push_back(std::move(row)); }
    void on_done() override { ++done; }
};

TEST_F(FleetPhonesTest, EachIdHasItsRowAtItsPlaceAlsoWhereThereIsNoSuchPhone) {
    Rows rows;
    const auto call = phones->exec({"gone", "a", "never"}, {}, rows);  // no command: refused before anything is sent
    call->wait();
    ASSERT_EQ(rows.rows.size(), 3U);
    std::sort(rows.rows.begin(), rows.rows.end(), [](const Row& x, const Row& y) { return x.index < y.index; });
    EXPECT_EQ(rows.rows[0].code, Code::phone_not_found);
    EXPECT_EQ(rows.rows[1].instance_id, "a");
    EXPECT_EQ(rows.rows[1].index, 1U);
    EXPECT_EQ(rows.rows[1].code, Code::usage);
    EXPECT_EQ(rows.rows[2].instance_id, "never");
    EXPECT_EQ(rows.rows[2].index, 2U);
    EXPECT_EQ(rows.done, 1);
}

TEST_F(FleetPhonesTest, AReloadTellsWhetherAnythingChanged) {
    const auto write = [&](const char* rest) {
        dir.write("i.yaml",
                  fmt::format("version: 1\ninstances:\n  - {{id: a, address: '127.0.0.1:{}'{}\n", listener.port, rest));
    };
    write("}");
    EXPECT_FALSE(phones->reload().value());
    write(", labels: {rack: r1}}");
    EXPECT_TRUE(phones->reload().value());
    write(", labels: {rack: r1}}\ngroups: {all-of-it: all}");
    EXPECT_TRUE(phones->reload().value());
    EXPECT_FALSE(phones->reload().value());
    write("");
    EXPECT_FALSE(phones->reload());
    EXPECT_TRUE(phones->knows("a"));
}

}  // namespace
}  // namespace drover::task
