// Fleet::renew(): what a phone keeps and what it learns when the inventory is read again.
#include <gtest/gtest.h>

#include "dispatch/fleet_impl.hpp"
#include "fleet/marks.hpp"
#include "support/temp_dir.hpp"

namespace drover::test {
namespace {

class FleetRenew : public testing::Test {
protected:
    void write(const std::string& instances) {
        options.inventory = dir.write("i.yaml", "version: 1\ninstances:\n" + instances);
    }
    static const fleet::Phone& phone(Fleet& fleet, std::size_t i) { return *fleet.impl().phones.at(i); }

    const TempDir dir;
    FleetOptions options;
};

TEST_F(FleetRenew, APhoneThatStaysHasItsNewLabels) {
    write("  - {id: a, address: '127.0.0.1:1', labels: {rack: old}}\n");
    const auto before = Fleet::open(options);
    ASSERT_TRUE(before) << before.error().message;
    write("  - {id: a, address: '127.0.0.1:1', labels: {rack: new}}\n");
    const auto after = (*before)->renew();
    ASSERT_TRUE(after) << after.error().message;
    EXPECT_EQ(&phone(**before, 0), &phone(**after, 0));
    EXPECT_EQ(phone(**after, 0).instance().labels.at("rack"), "new");
}

TEST_F(FleetRenew, APhoneThatMovedIsANewOne) {
    write("  - {id: a, address: '127.0.0.1:1'}\n  - {id: b, address: '127.0.0.1:2'}\n");
    const auto before = Fleet::open(options);
    ASSERT_TRUE(before) << before.error().message;
    write("  - {id: b, address: '127.0.0.1:2'}\n  - {id: a, address: '127.0.0.1:3'}\n");
    const auto after = (*before)->renew();
    ASSERT_TRUE(after) << after.error().message;
    EXPECT_EQ(&phone(**before, 1), &phone(**after, 0)) << "the same at another place";
    EXPECT_NE(&phone(**before, 0), &phone(**after, 1));
}

TEST_F(FleetRenew, APhoneThatStaysHasItsNewPlace) {
    write("  - {id: a, address: '127.0.0.1:1'}\n  - {id: b, address: '127.0.0.1:2'}\n");
    const auto before = Fleet::open(options);
    ASSERT_TRUE(before) << before.error().message;
    write("  - {id: b, address: '127.0.0.1:2'}\n  - {id: a, address: '127.0.0.1:1'}\n");
    const auto after = (*before)->renew();
    ASSERT_TRUE(after) << after.error().message;
    EXPECT_EQ(&phone(**before, 1), &phone(**after, 0));
    EXPECT_EQ(phone(**after, 0).index(), 0U);
    EXPECT_EQ(phone(**after, 1).index(), 1U);
}

TEST_F(FleetRenew, ADisabledPhoneIsOutOfServiceUntilItIsEnabled) {
    write("  - {id: a, address: '127.0.0.1:1'}\n");
    options.state_dir = dir / "state";
    const auto mark = [&](bool disabled) {
        ASSERT_TRUE(fleet::change_marks(options.state_dir, [&](fleet::Marks& marks) {
            marks.clear();
            if (disabled) marks["a"].reason = "lent out";
        }));
    };
    mark(true);
    const auto before = Fleet::open(options);
    ASSERT_TRUE(before) << before.error().message;
    ASSERT_TRUE(phone(**before, 0).out_of_service());
    EXPECT_EQ(phone(**before, 0).out_of_service()->message, "lent out");
    mark(false);
    const auto after = (*before)->renew();
    ASSERT_TRUE(after) << after.error().message;
    EXPECT_EQ(&phone(**before, 0), &phone(**after, 0));
    EXPECT_FALSE(phone(**after, 0).out_of_service());
}

TEST_F(FleetRenew, AnInventoryThatIsWrongLeavesTheFleet) {
    write("  - {id: a, address: '127.0.0.1:1'}\n");
    const auto before = Fleet::open(options);
    ASSERT_TRUE(before) << before.error().message;
    write("  - {id: }\n");
    const auto after = (*before)->renew();
    ASSERT_FALSE(after);
    EXPECT_EQ(after.error().code, Code::bad_inventory);
    EXPECT_EQ((*before)->instances().size(), 1U);
}

}  // namespace
}  // namespace drover::test
