#include "fleet/discovery.hpp"

#include <gtest/gtest.h>

#include "fleet/server_connector.hpp"

namespace drover::fleet {
namespace {

adb::ServerDevice row(std::string serial, std::string usb_path = {}, adb::AdbState state = adb::AdbState::device) {
    adb::ServerDevice d;
    d.serial = std::move(serial);
    d.usb_path = std::move(usb_path);
    d.state = state;
    d.state_text = adb::to_string(state);
    d.transport_id = 7;
    return d;
}

std::vector<std::string> ids(const std::vector<Instance>& instances) {
    std::vector<std::string> all;
    for (const auto& i : instances) all.push_back(i.id);
    return all;
}

TEST(Discovery, TheSerialIsTheId) {
    const std::vector rows{row("R58M123ABC", "1-4.2"), row("10.0.0.5:5555")};
    const auto found = instances_of(rows, {}, {});
    EXPECT_EQ(ids(found), (std::vector<std::string>{"R58M123ABC", "10.0.0.5-5555"}));
    EXPECT_EQ(to_string(found[0].address), "usb:1-4.2");
    EXPECT_EQ(to_string(found[1].address), "10.0.0.5:5555");
    EXPECT_EQ(found[0].via, Via::automatic);
    EXPECT_EQ(found[1].via, Via::server);
}

TEST(Discovery, EqualAndEmptySerialsGoByUsbPath) {
    const std::vector rows{row("0123456789ABCDEF", "1-1"), row("0123456789ABCDEF", "1-2"), row("", "1-3"), row("")};
    const auto found = instances_of(rows, {}, {});
    EXPECT_EQ(ids(found), (std::vector<std::string>{"usb-1-1", "usb-1-2", "usb-1-3"}));
    EXPECT_EQ(to_string(found[1].address), "usb:1-2");
}

TEST(Discovery, APhoneKeepsItsIdWhileItStaysWhereItIs) {
    const auto first = instances_of(std::vector{row("S", "1-1")}, {}, {});
    EXPECT_EQ(ids(first), (std::vector<std::string>{"S"}));
    // A second one with that serial, listed before it.
    const auto both = instances_of(std::vector{row("S", "1-0"), row("S", "1-1")}, {}, {}, first);
    EXPECT_EQ(ids(both), (std::vector<std::string>{"usb-1-0", "S"}));
    EXPECT_EQ(to_string(both[1].address), to_string(first[0].address));
    // The first one has gone; another one may not take its id while it is there, and may afterwards.
    const auto alone = instances_of(std::vector{row("S", "1-0")}, {}, {}, both);
    EXPECT_EQ(ids(alone), (std::vector<std::string>{"usb-1-0"}));
    EXPECT_EQ(ids(instances_of(std::vector{row("T", "1-0")}, {}, {}, alone)), (std::vector<std::string>{"T"}));
    const auto silent = instances_of(std::vector{row("", "1-3")}, {}, {});
    EXPECT_EQ(ids(instances_of(std::vector{row("S", "1-3")}, {}, {}, silent)), (std::vector<std::string>{"usb-1-3"}));
}

TEST(Discovery, AnotherPhoneAtAnotherPortIsNoneOfTheInventory) {
    Instance written;
    written.id = "rack";
    written.address = UsbPath{"1-4.1"};
    written.serial = "S";
    const std::vector rows{row("S", "1-4.1"), row("S", "1-4.2"), row("S")};
    EXPECT_EQ(ids(instances_of(rows, {}, std::vector{written})), (std::vector<std::string>{"usb-1-4.2"}));
}

TEST(Discovery, WherePhonesOfTheInventoryArePluggedIn) {
    std::vector<Instance> known(3);
    known[0].address = Serial{"S1"};
    known[1].address = Serial{"twin"};
    known[2].address = TcpAddress{"10.0.0.5", 5555};
    known[2].serial = "S3";
    adb::UsbPhone usb;
    usb.path = "1-3", usb.serial = "S3";
    note_usb_paths(std::vector{row("S1", "1-1"), row("twin", "1-2"), row("twin", "1-5")}, std::vector{usb}, known);
    EXPECT_EQ(known[0].usb_path, "1-1");
    EXPECT_EQ(known[1].usb_path, "");
    EXPECT_EQ(known[2].usb_path, "1-3");
}

TEST(Discovery, LongAndStrangeSerialsStayApart) {
    const std::vector rows{row(std::string(40, 'a') + "1"), row(std::string(40, 'a') + "2"), row("--x y"), row("x-y"),
                           row("...")};
    const auto found = ids(instances_of(rows, {}, {}));
    EXPECT_EQ(found, (std::vector<std::string>{std::string(31, 'a') + "1", std::string(31, 'a') + "2", "x-y", "x-y-2",
                                               "phone"}));
}

TEST(Discovery, WhatTheInventoryNamesIsNotFoundAgain) {
    Instance a, b, c;
    a.id = "a";
    a.address = TcpAddress{"10.0.0.5", 5555};
    b.id = "b";
    b.address = UsbPath{"1-4"};
    c.id = "X1";
    c.address = TcpAddress{"10.0.0.6", 5555};
    c.serial = "S3";
    const std::vector known{a, b, c};
    const std::vector rows{row("10.0.0.5:5555"), row("S2", "1-4"), row("S3"), row("X1")};
    EXPECT_EQ(ids(instances_of(rows, {}, known)), (std::vector<std::string>{"X1-2"}));
}

TEST(Discovery, ThePhoneThatBothSourcesShowIsOne) {
    const std::vector rows{row("S1", "1-1"), row("10.0.0.5:5555")};
    adb::UsbPhone first, second, twin;
    first.path = "1-1", first.serial = "S1";
    second.path = "1-2", second.serial = "S2";
    twin.path = "1-3", twin.serial = "S2";
    const std::vector usb{first, second, twin};
    const auto found = instances_of(rows, usb, {});
    EXPECT_EQ(ids(found), (std::vector<std::string>{"S1", "10.0.0.5-5555", "usb-1-2", "usb-1-3"}));
    // Whichever source is gone for a while: the same instance.
    const auto alone = instances_of({}, usb, {});
    EXPECT_EQ(alone[0].id, "S1");
    EXPECT_EQ(alone[0].via, found[0].via);
    EXPECT_EQ(to_string(alone[0].address), to_string(found[0].address));
}

TEST(FindRow, SaysWhyAPhoneCannotBeUsed) {
    ServerView view;
    view.devices = {row("ok"),
                    row("twin", "1-1"),
                    row("twin", "1-2"),
                    row("u", "", adb::AdbState::unauthorized),
                    row("off", "", adb::AdbState::offline),
                    row("side", "", adb::AdbState::sideload)};
    EXPECT_EQ(find_row(view, Serial{"ok"})->transport_id, 7u);
    EXPECT_EQ(find_row(view, Serial{"gone"}).error().why.code, Code::phone_not_found);
    EXPECT_EQ(find_row(view, Serial{"twin"}).error().why.code, Code::not_supported);
    EXPECT_TRUE(find_row(view, UsbPath{"1-2"}));
    EXPECT_TRUE(find_row(view, UsbPath{"1-2", "twin"}));
    EXPECT_EQ(find_row(view, UsbPath{"1-2", "other"}).error().why.code, Code::phone_not_found);
    EXPECT_EQ(find_row(view, Serial{"u"}).error().why.code, Code::unauthorized);
    EXPECT_EQ(find_row(view, Serial{"off"}).error().why.code, Code::phone_not_found);
    EXPECT_EQ(find_row(view, Serial{"side"}).error().why.code, Code::not_ready);
    view.down = Error(Code::server_unreachable, "refused");
    EXPECT_EQ(find_row(view, Serial{"ok"}).error().why.code, Code::server_unreachable);
    EXPECT_EQ(find_row(view, Serial{"ok"}).error().event, PhoneEvent::server_down);
}

// The documented status of every state that a server has a word for; 2 comes only once the phone has booted.
TEST(FindRow, EachRowHasItsOwnState) {
    using adb::AdbState;
    struct Case {
        AdbState state;
        Condition condition;
        int status;
    };
    const Case cases[] = {
        {AdbState::connecting, Condition::connecting, 4},     {AdbState::authorizing, Condition::authorizing, 4},
        {AdbState::unauthorized, Condition::unauthorized, 0}, {AdbState::no_permissions, Condition::no_permissions, 0},
        {AdbState::detached, Condition::offline, 0},          {AdbState::offline, Condition::offline, 0},
        {AdbState::bootloader, Condition::bootloader, 4},     {AdbState::host, Condition::foreign, 0},
        {AdbState::sideload, Condition::sideload, 4},         {AdbState::rescue, Condition::rescue, 4}};
    for (const auto& [state, condition, status] : cases) {
        ServerView view;
        view.devices = {row("S", "1-1", state)};
        const auto found = find_row(view, UsbPath{"1-1"});
        ASSERT_FALSE(found) << to_string(state);
        Tracker tracker({});
        tracker.apply(found.error().event, found.error().why.message, {});
        EXPECT_EQ(to_string(tracker.state().condition), to_string(condition)) << to_string(state);
        EXPECT_EQ(static_cast<int>(tracker.state().status()), status) << to_string(state);
        tracker.apply(PhoneEvent::attempt, "", {});
        EXPECT_EQ(tracker.state().condition, condition);
        tracker.apply(find_row(ServerView(), UsbPath{"1-1"}).error().event, "", {});
        EXPECT_EQ(static_cast<int>(tracker.state().status()), 1) << "it is listed no more";
    }
}

}  // namespace
}  // namespace drover::fleet
