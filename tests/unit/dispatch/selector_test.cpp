#include "dispatch/selector.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "where.hpp"

namespace drover::dispatch {
namespace {

using testing::ElementsAre;

struct Fleet {
    Fleet() {
        add("rack1-01", Via::tcp, TcpAddress{"10.0.0.5", 5555}, {{"model", "pixel-8"}, {"rack", "r1"}},
            adb::AdbState::device);
        add("rack1-02", Via::tcp, TcpAddress{"10.0.0.6", 5555}, {{"model", "pixel-6"}, {"rack", "r1"}},
            adb::AdbState::offline);
        add("rack1-03", Via::tcp, TcpAddress{"fd00::3", 5556}, {{"model", "pixel-8"}, {"rack", "r2"}},
            adb::AdbState::unauthorized);
        add("desk", Via::server, Serial{"R58M1"}, {{"rack", "on"}}, std::nullopt);
        add("usb9", Via::usb, UsbPath{"1-4.2"}, {}, adb::AdbState::recovery);
        phones[4].serial = "R58M2";
        groups = {{"canary", {"rack1-[01-02]", {}}}, {"both", {"@canary,desk", {}}}, {"loop-a", {"desk,@loop-b", {}}},
                  {"loop-b", {"@loop-a", {}}},       {"broken", {"desk & [", {}}},   {"outer", {"all & @broken", {}}}};
    }
    void add(std::string id, Via via, Address address, std::map<std::string, std::string> labels,
             std::optional<adb::AdbState> state) {
        Instance one;
        one.id = std::move(id);
        one.via = via;
        one.address = std::move(address);
        one.labels = std::move(labels);
        phones.push_back(std::move(one));
        states.push_back(state);
    }
    std::vector<Candidate> candidates() const {
        std::vector<Candidate> out;
        for (std::size_t i = 0; i < phones.size(); ++i) out.push_back({&phones[i], states[i]});
        return out;
    }
    std::string error(std::string_view text) const {
        const auto parsed = Selector::parse(text, groups);
        return parsed ? "(accepted)" : fmt::format("{}: {}", parsed.error().offset, parsed.error().message);
    }
    Selection select(std::string_view text) const {
        const auto parsed = Selector::parse(text, groups);
        if (!parsed) {
            ADD_FAILURE() << text << ": " << parsed.error().message;
            return {};
        }
        return parsed->select(candidates());
    }
    std::string chosen(std::string_view text) const {
        std::string out;
        for (const std::size_t i : select(text).targets) out += std::to_string(i);
        return out;
    }

    std::vector<Instance> phones;
    std::vector<std::optional<adb::AdbState>> states;
    Groups groups;
};

TEST(Selector, AtomsAndOperators) {
    const Fleet fleet;
    const struct {
        std::string_view text, chosen;
    } kCases[] = {
        {"all", "01234"},
        {"desk", "3"},
        {"usb9, rack1-02 ,usb9", "14"},  // the inventory's order, each once
        {"rack1-*", "012"},
        {"*", "01234"},
        {"rack?-0?", "012"},
        {"rack1-[01-02,9]", "01"},
        {"rack[1-3]-[02-03]", "12"},
        {"rack1-[1-3]", ""},
        {"label:model=pixel-8", "02"},
        {"label:model=pixel-*", "012"},
        {"label:rack=r[1-2]", "012"},
        {"label:rack=on", "3"},
        {"label:rack", "0123"},
        {"label:model=", ""},
        {"state:running", "0"},
        {"state:device", "0"},
        {"state:unauthorized", "2"},
        {"state:recovery", "4"},
        {"!state:running", "124"},  // desk's state is not known: neither running nor not
        {"via:tcp", "012"},
        {"via:server,via:usb", "34"},
        {"usb:1-4.2", "4"},
        {"usb:1-*", "4"},
        {"serial:R58M1", "3"},
        {"serial:R58M*", "34"},
        {"tcp:10.0.0.5:5555", "0"},
        {"tcp:10.0.0.5", "0"},
        {"tcp:10.0.0.5:5556", ""},
        {"tcp:10.0.0.*", "01"},
        {"tcp:[fd00::3]:5556", "2"},
        {"tcp:[fd00::3]", "2"},
        {"@canary", "01"},
        {"@both", "013"},
        {"@both & !@canary", "3"},
        {"!rack1-*", "34"},
        {"!!desk", "3"},
        {"rack1-*&label:model=pixel-8", "02"},
        {"rack1-* ^ label:model=pixel-8", "1"},
        {"desk , rack1-* & !rack1-02", "023"},  // & before ,
        {"desk ^ desk , usb9", "4"},            // ^ before ,
        {"all ^ rack1-* & rack1-01", "1234"},   // & before ^
        {"(desk,rack1-*) & label:rack=r1", "01"},
        {"!(desk,rack1-*)", "4"},
        {"\t all\n", "01234"},
    };
    for (const auto& c : kCases) EXPECT_EQ(fleet.chosen(c.text), c.chosen) << c.text;
}

TEST(Selector, APhoneIsWhereItIsPluggedInHoweverItWasWritten) {
    Fleet fleet;
    fleet.phones[3].usb_path = "1-5";                   // written as a serial
    fleet.phones[1].address = Serial{"10.0.0.6:5555"};  // as an adb server lists it
    EXPECT_EQ(fleet.chosen("usb:1-5"), "3");
    EXPECT_EQ(fleet.chosen("usb:*"), "34");
    EXPECT_EQ(fleet.chosen("tcp:10.0.0.6:5555"), "1");
    EXPECT_EQ(fleet.chosen("tcp:10.0.0.*"), "01");
}

TEST(Selector, SaysWhatIsWrongAndWhere) {
    const Fleet fleet;
    const struct {
        std::string_view text, message;
    } kCases[] = {
        {"", "0: the selector is empty: write 'all' for every phone"},
        {"  ", "0: the selector is empty: write 'all' for every phone"},
        {"a,,b", "2: a phone, a pattern or a group is wanted here, not ','"},
        {"a,", "2: the selector ends where a phone, a pattern or a group is wanted"},
        {"a & & b", "4: a phone, a pattern or a group is wanted here, not '&'"},
        {"a b", "2: an operator is missing here: one of & ^ ,"},
        {"a !b", "2: an operator is missing here: for 'without' write '& !'"},
        {"(a,b", "0: '(' without ')'"},
        {"a)", "1: ')' without '('"},
        {"()", "1: a phone, a pattern or a group is wanted here, not ')'"},
        {"rack1-[01-", "6: '[' without ']'"},
        {"x,rack1-[05-01]", "9: '05-01' runs backwards"},
        {"-a",
         "0: '-a' is neither an id nor a pattern: ids have 1 to 32 letters, digits and . _ -, the first a letter or "
         "digit"},
        {"a/*",
         "0: 'a/*' is neither an id nor a pattern: ids have 1 to 32 letters, digits and . _ -, the first a letter or "
         "digit"},
        {"lable:x=y", "0: unknown kind 'lable' (did you mean 'label'?): one of label, state, via, usb, serial, tcp"},
        {"label:", "6: something must follow 'label:'"},
        {"label:=x", "6: '' is not a label's name"},
        {"label:a=[x]", "9: 'x' is no number or range of numbers such as 01-20"},
        {"state:runing",
         "6: unknown state 'runing' (did you mean 'running'?): one of disabled, running, device, offline, "
         "unauthorized, authorizing, "
         "connecting, recovery, sideload, rescue, bootloader, detached, no-permissions"},
        {"via:auto", "4: unknown way 'auto': one of tcp, usb, server"},
        {"tcp:h:99999", "6: '99999' is no port from 1 to 65535"},
        {"group:canary", "0: write @canary for a group"},
        {"@canry", "0: no group 'canry' (did you mean 'canary'?)"},
        {"@", "0: '' is not a group's name"},
        {"desk,@loop-a",
         "5: in group @loop-b, column 1: the group @loop-a contains itself: @loop-a > @loop-b > @loop-a"},
        {"@outer", "0: in group @broken, column 8: '[' without ']'"},
    };
    for (const auto& c : kCases) EXPECT_EQ(fleet.error(c.text), c.message) << c.text;
    const auto none = Selector::parse("@x", {});
    EXPECT_EQ(none.error().message, "no group 'x': the inventory has no groups");
    const Error error = Selector::parse("\xC3\xA9,\x1b!", {}).error().to_error("\xC3\xA9,\x1b!");
    EXPECT_EQ(error.code, Code::bad_selector);
    EXPECT_EQ(Selector::parse("desk,,x", {}).error().to_error("desk,,x").message,
              "selector 'desk,,x', column 6: a phone, a pattern or a group is wanted here, not ','");
    EXPECT_EQ(error.message.find('\x1b'), std::string::npos);
}

TEST(Selector, DisabledPhonesStayOnlyWhereTheirIdIsWritten) {
    Fleet fleet;
    fleet.phones[0].disabled = true;
    fleet.phones[3].disabled = true;
    const auto told = [&](std::string_view text) {
        const Selection s = fleet.select(text);
        return fmt::format("{} -{}", fmt::join(s.targets, " "), s.disabled_left_out);
    };
    EXPECT_EQ(told("all"), "1 2 4 -2");
    EXPECT_EQ(told("rack1-[01-02]"), "1 -1");
    EXPECT_EQ(told("rack1-*,desk"), "1 2 3 -1");
    EXPECT_EQ(told("rack1-01"), "0 -0");
    EXPECT_EQ(told("rack1-01 & label:rack=r1"), "0 -0");
    EXPECT_EQ(told("@both"), "1 -2");
    EXPECT_EQ(told("all & !desk"), "1 2 4 -1");
    EXPECT_EQ(told("!(!desk)"), "3 -0");
    EXPECT_EQ(told("serial:R58M1"), " -1");
}

// The phones need not be asked for that.
TEST(Selector, StateDisabledAsksForThem) {
    Fleet fleet;
    fleet.phones[0].disabled = true;
    auto candidates = fleet.candidates();
    candidates[3].unfit = true;
    const auto told = [&](std::string_view text) {
        const auto parsed = Selector::parse(text, {{"out", {"state:disabled", {}}}});
        EXPECT_TRUE(parsed) << text;
        EXPECT_THAT(parsed->undecided(candidates), ElementsAre()) << text;
        const Selection s = parsed->select(candidates);
        return fmt::format("{} -{}", fmt::join(s.targets, " "), s.disabled_left_out);
    };
    EXPECT_EQ(told("state:disabled"), "0 3 -0");
    EXPECT_EQ(told("state:disabled & rack1-*"), "0 -0");
    EXPECT_EQ(told("usb9, state:disabled"), "0 3 4 -0");
    EXPECT_EQ(told("all, (rack1-* & state:disabled)"), "0 1 2 4 -1") << "what it does not ask for stays left out";
    EXPECT_EQ(told("!(rack1-* & state:disabled)"), "1 2 4 -1");
    EXPECT_EQ(told("all & !state:disabled"), "1 2 4 -0");
    EXPECT_EQ(told("!(!state:disabled)"), "0 3 -0");
    EXPECT_EQ(told("@out"), " -2") << "as with ids: only where it is written itself";
}

TEST(Selector, APhoneThatIsUnfitIsLeftOutAsADisabledOne) {
    const Fleet fleet;
    auto candidates = fleet.candidates();
    candidates[1].unfit = true;
    const auto all = Selector::parse("all", {})->select(candidates);
    EXPECT_THAT(all.targets, ElementsAre(0, 2, 3, 4));
    EXPECT_EQ(all.disabled_left_out, 1u);
    EXPECT_THAT(all.disabled, ElementsAre(1));
    EXPECT_THAT(Selector::parse("rack1-02", {})->select(candidates).targets, ElementsAre(1)) << "its row says why";
}

TEST(Selector, IdsThatAreNotThereAreTold) {
    const Fleet fleet;
    EXPECT_THAT(fleet.select("desk,rack9-01,all & !rack9-02,rack9-01").unknown_ids,
                ElementsAre("rack9-01", "rack9-02"));
    EXPECT_TRUE(fleet.select("rack9-*,rack9-[1-2]").unknown_ids.empty());
    EXPECT_TRUE(fleet.select("rack9-01").targets.empty());
}

TEST(Selector, CheckNeedsNoGroups) {
    EXPECT_TRUE(Selector::check("@anything & !state:running"));
    EXPECT_EQ(Selector::check("@anything &").error().offset, 11U);
    EXPECT_EQ(Selector::check("@a/b").error().message, "'a/b' is not a group's name");
}

TEST(Selector, UndecidedAreOnlyThoseWhoseStateMatters) {
    const Fleet fleet;
    auto phones = fleet.candidates();
    for (Candidate& phone : phones) phone.state.reset();
    const auto undecided = [&](std::string_view text) {
        return Selector::parse(text, fleet.groups)->undecided(phones);
    };
    EXPECT_TRUE(undecided("rack1-*").empty());
    EXPECT_THAT(undecided("state:running"), ElementsAre(0, 1, 2, 3, 4));
    EXPECT_THAT(undecided("rack1-01 & state:running"), ElementsAre(0));
    EXPECT_THAT(undecided("!rack1-* & !state:running"), ElementsAre(3, 4));
    EXPECT_THAT(undecided("rack1-* , state:running"), ElementsAre(3, 4));
    EXPECT_THAT(undecided("desk ^ state:running & desk"), ElementsAre(3));
}

TEST(Selector, Limits) {
    const Fleet fleet;
    EXPECT_EQ(fleet.error(std::string(65, '(') + "desk" + std::string(65, ')')), "64: more than 64 levels deep");
    EXPECT_EQ(fleet.error(std::string(100'000, '!') + "desk"), "64: more than 64 levels deep");
    EXPECT_EQ(fleet.chosen(std::string(64, '!') + "desk"), "3");
    EXPECT_EQ(fleet.error(std::string(300'000, 'a')), "0: longer than 262144 bytes");
    Groups chain;
    chain["g0"] = {"desk", {}};
    for (int i = 1; i < 200; ++i) chain[fmt::format("g{}", i)] = {fmt::format("@g{0},@g{0}", i - 1), {}};
    EXPECT_FALSE(Selector::parse("@g199", chain));
    const auto wide = Selector::parse("@g60", chain);  // 2^60 paths, each group evaluated once
    ASSERT_TRUE(wide);
    EXPECT_THAT(wide->select(fleet.candidates()).targets, ElementsAre(3));
}

TEST(Selector, TenThousandIdsOnTwentyThousandPhones) {
    std::vector<Instance> phones(20'000);
    std::vector<Candidate> candidates;
    std::string text;
    for (std::size_t i = 0; i < phones.size(); ++i) {
        phones[i].id = fmt::format("p{}", i);
        candidates.push_back({&phones[i], {}});
        if (i % 2 == 0) text += fmt::format("p{},", i);
    }
    const auto selector = Selector::parse(text + "p0", {});
    ASSERT_TRUE(selector);
    EXPECT_EQ(selector->select(candidates).targets.size(), 10'000U);
}

TEST(CheckGroups, FindsTheGroupThatIsWrong) {
    const auto check = [](std::string_view groups) {
        const auto inventory = fleet::parse_inventory(fmt::format("version: 1\ninstances: []\n{}", groups), "i.yaml");
        if (!inventory) return inventory.error().message;
        const auto checked = check_groups(*inventory);
        return checked ? "" : checked.error().message;
    };
    EXPECT_EQ(check("groups: {a: '@b', b: all}\n"), "");
    EXPECT_EQ(check("groups:\n  a: rack1-[01\n"), "i.yaml:4:6: groups.a: column 7 of the selector: '[' without ']'");
    EXPECT_EQ(
        check("groups:\n  a: '@a'\n"),
        "i.yaml:4:6: groups.a: column 1 of the selector: in group @a, column 1: the group @a contains itself: @a > @a");
}

TEST(CheckGroups, TheExampleInventoryIsValid) {
    const auto inventory = fleet::load_inventory(DROVER_SOURCE_DIR "/devices/inventory.example.yaml");
    ASSERT_TRUE(inventory) << inventory.error().message;
    const auto checked = check_groups(*inventory);
    EXPECT_TRUE(checked) << checked.error().message;
}

}  // namespace
}  // namespace drover::dispatch
