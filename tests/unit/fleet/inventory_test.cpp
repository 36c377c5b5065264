#include "fleet/inventory.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <tuple>

#include "where.hpp"

namespace drover::fleet {
namespace {

std::string wrong(std::string_view text) {
    const auto inventory = parse_inventory(text, "i.yaml");
    if (inventory) return "(accepted)";
    EXPECT_EQ(inventory.error().code, Code::bad_inventory);
    return inventory.error().message;
}

std::string address(Via via, std::string_view text) {
    const auto parsed = parse_address(via, text);
    if (!parsed) return parsed.error().message;
    constexpr std::string_view kKinds[] = {"tcp", "usb", "serial"};
    return fmt::format("{} {}", kKinds[parsed->index()], to_string(*parsed));
}

TEST(Inventory, ReadsEveryKey) {
    const auto inventory = parse_inventory(
        "version: 1\n"
        "instances:\n"
        "  - id: rack1-01\n"
        "    via: tcp\n"
        "    address: 10.0.0.5:5555\n"
        "    serial: 0123456789\n"
        "    labels: {model: pixel-8, rack: on}\n"
        "  - {id: d2, address: usb:1-4.2}\n"
        "  - {id: 'd3', via: server, address: '10.0.0.6:5555'}\n"
        "groups: {canary: 'rack1-[01-03]'}\n"
        "discover: [usb, server]\n",
        "i.yaml");
    ASSERT_TRUE(inventory) << inventory.error().message;
    ASSERT_EQ(inventory->instances.size(), 3U);
    const Instance& first = inventory->instances[0];
    EXPECT_EQ(first.id, "rack1-01");
    EXPECT_EQ(first.via, Via::tcp);
    EXPECT_EQ(std::get<TcpAddress>(first.address).host, "10.0.0.5");
    EXPECT_EQ(std::get<TcpAddress>(first.address).port, 5555);
    EXPECT_EQ(first.serial, "0123456789");
    EXPECT_EQ(first.labels.at("rack"), "on");
    EXPECT_EQ(std::get<UsbPath>(inventory->instances[1].address).path, "1-4.2");
    EXPECT_EQ(inventory->instances[1].via, Via::automatic);
    EXPECT_EQ(std::get<Serial>(inventory->instances[2].address).serial, "10.0.0.6:5555");
    EXPECT_EQ(inventory->groups.at("canary").selector, "rack1-[01-03]");
    EXPECT_EQ(inventory->groups.at("canary").mark, (yaml::Mark{10, 18}));
    EXPECT_TRUE(inventory->discover_usb);
    EXPECT_TRUE(inventory->discover_server);
    const auto none = parse_inventory("version: 1\ninstances: []\n", "i.yaml");
    ASSERT_TRUE(none);
    EXPECT_FALSE(none->discover_usb || none->discover_server);
}

TEST(Inventory, SaysWhatIsWrongAndWhere) {
    const std::string head = "version: 1\ninstances:\n";
    const struct {
        std::string text, message;
    } kCases[] = {
        {"", "i.yaml:1:1: the value is missing: a map is wanted"},
        {"- a\n", "i.yaml:1:1: a map is wanted, this is a list"},
        {"instances: []\n", "i.yaml:1:1: the key 'version' is missing"},
        {"version: 2\ninstances: []\n", "i.yaml:1:10: version: the number 1 is wanted, this is '2'"},
        {"version: 1\n", "i.yaml:1:1: neither 'instances' nor 'discover': there would be no phones"},
        {"version: 1\ninstances:\n", "i.yaml:2:1: instances: a list is wanted, this is nothing"},
        {"version: 1\ninstance: []\ndiscover: [usb]\n",
         "i.yaml:2:1: unknown key 'instance' (did you mean 'instances'?)"},
        {"version: 1\ndiscover: [usb, usb]\n", "i.yaml:2:17: discover: 'usb' stands here a second time"},
        {"version: 1\ndiscover: [sever]\n",
         "i.yaml:2:12: discover: 'sever' is not known here (did you mean 'server'?): one of usb, server"},
        {"version: 1\ndiscover: usb\n", "i.yaml:2:11: discover: a list is wanted, such as [usb, server]"},
        {head + "  - {id: a}\n", "i.yaml:3:5: instances[0]: the key 'address' is missing"},
        {head + "  - {id: 'a b', address: S}\n",
         "i.yaml:3:10: instances[0].id: 'a b' is not an id: 1 to 32 letters, digits and . _ -, the first a letter or "
         "digit"},
        {head + "  - {id: \"a\\x1b[2J\", address: S}\n",
         "i.yaml:3:10: instances[0].id: 'a?[2J' is not an id: 1 to 32 letters, digits and . _ -, the first a letter or "
         "digit"},
        {head + "  - {id: all, address: S}\n",
         "i.yaml:3:10: instances[0].id: 'all' is the selector for every phone: choose another id"},
        {head + "  - {id: a, address: S}\n  - {id: b, address: T}\n  - {id: a, address: U}\n",
         "i.yaml:5:10: instances[2].id: the id 'a' stands here a second time; the first is in line 3"},
        {head + "  - {id: a, via: tcp, address: 'h:1'}\n  - {id: b, address: 'h:1'}\n",
         "i.yaml:4:22: instances[1].address: the address h:1 stands here a second time; the first is in line 3"},
        {head + "  - {id: a, via: tpc, address: S}\n",
         "i.yaml:3:18: instances[0].via: 'tpc' is not known here (did you mean 'tcp'?): one of auto, tcp, usb, server"},
        {head + "  - {id: a, via: tcp, address: 10.0.0.5}\n",
         "i.yaml:3:32: instances[0].address: '10.0.0.5' is not an address: the port is missing; write host:port, such "
         "as "
         "10.0.0.5:5555 or [fe80::1]:5555"},
        {head + "  - {id: a, adress: S}\n",
         "i.yaml:3:13: instances[0]: unknown key 'adress' (did you mean 'address'?)"},
        {head + "  - {id: a, address: S, labels: {-x: y}}\n",
         "i.yaml:3:34: instances[0].labels: '-x' is not a label's name: 1 to 63 letters, digits and . _ / -, the first "
         "a letter or digit"},
        {head + "  - {id: a, address: S, labels: {x: 'a b'}}\n",
         "i.yaml:3:37: instances[0].labels: 'a b' is not a label's value: up to 63 letters, digits and . _ / : + @ = ~ "
         "-"},
        {head + "  - {id: a, address: S, labels: {x: [1]}}\n",
         "i.yaml:3:37: instances[0].labels.x: a text is wanted, this is a list"},
        {"version: 1\ninstances: []\ngroups: {a b: all}\n",
         "i.yaml:3:10: groups: 'a b' is not a group's name: 1 to 32 letters, digits and . _ -, the first a letter or "
         "digit"},
        {"version: 1\ninstances: []\ngroups: [all]\n", "i.yaml:3:9: groups: a map of texts is wanted, this is a list"},
    };
    for (const auto& c : kCases) EXPECT_EQ(wrong(c.text), c.message) << c.text;
}

TEST(Inventory, TellsAllMistakesALineEachUpToTen) {
    EXPECT_EQ(wrong("version: 1\ninstances:\n  - {id: a, address: 'h:1', x: 1}\n  - {id: a, address: 'h:2'}\n"),
              "i.yaml:3:29: instances[0]: unknown key 'x': one of id, via, address, serial, labels\n"
              "i.yaml:4:10: instances[1].id: the id 'a' stands here a second time; the first is in line 3");
    std::string many = "version: 1\ninstances:\n";
    for (int i = 0; i < 13; ++i) many += fmt::format("  - {{id: p{}, address: 'h:{}', zzzzzzzz: 1}}\n", i, i + 1);
    const auto told = wrong(many);
    EXPECT_EQ(std::count(told.begin(), told.end(), '\n'), 10);
    EXPECT_TRUE(told.ends_with("\ni.yaml: 3 more problem(s)")) << told;
}

TEST(Inventory, AddressesByWay) {
    EXPECT_EQ(address(Via::tcp, "10.0.0.5:5555"), "tcp 10.0.0.5:5555");
    EXPECT_EQ(address(Via::tcp, "phone-7.lab_1:1"), "tcp phone-7.lab_1:1");
    EXPECT_EQ(address(Via::tcp, "[::1]:65535"), "tcp [::1]:65535");
    EXPECT_EQ(address(Via::tcp, "[fe80::1%eth0]:5555"), "tcp [fe80::1%eth0]:5555");
    EXPECT_EQ(address(Via::usb, "usb:1-4.2"), "usb usb:1-4.2");
    EXPECT_EQ(address(Via::usb, "R58M123ABC"), "serial R58M123ABC");
    EXPECT_EQ(address(Via::server, "10.0.0.5:5555"), "serial 10.0.0.5:5555");
    EXPECT_EQ(address(Via::server, "adb-R58M (2)._adb-tls-connect._tcp"), "serial adb-R58M (2)._adb-tls-connect._tcp");
    EXPECT_EQ(address(Via::automatic, "10.0.0.5:5555"), "tcp 10.0.0.5:5555");
    EXPECT_EQ(address(Via::automatic, "emulator-5554"), "serial emulator-5554");
    EXPECT_EQ(address(Via::automatic, "usb:3-1"), "usb usb:3-1");
    EXPECT_EQ(address(Via::automatic, "10.0.0"), "serial 10.0.0");
    const std::string form = "; write host:port, such as 10.0.0.5:5555 or [fe80::1]:5555";
    EXPECT_EQ(address(Via::tcp, "::1:5555"), "'::1:5555' is not an address: an IPv6 address needs brackets" + form);
    EXPECT_EQ(address(Via::automatic, "10.0.0.5"), "'10.0.0.5' is not an address: the port is missing" + form);
    EXPECT_EQ(address(Via::tcp, "[::1]"), "'[::1]' is not an address: the port is missing" + form);
    EXPECT_EQ(address(Via::tcp, "h:0"), "'h:0' is not an address: '0' is no port from 1 to 65535" + form);
    EXPECT_EQ(address(Via::tcp, "h:65536"), "'h:65536' is not an address: '65536' is no port from 1 to 65535" + form);
    EXPECT_EQ(address(Via::tcp, "h:+5"), "'h:+5' is not an address: '+5' is no port from 1 to 65535" + form);
    EXPECT_EQ(address(Via::tcp, ":5555"), "':5555' is not an address: the host is missing");
    EXPECT_EQ(address(Via::tcp, "10.0.0.500:1"), "'10.0.0.500:1' is not an address: '10.0.0.500' is no IPv4 address");
    EXPECT_EQ(address(Via::tcp, "[::zz]:1"), "'[::zz]:1' is not an address: '::zz' is no IPv6 address");
    EXPECT_EQ(address(Via::tcp, "a b:1"), "'a b:1' is not an address: 'a b' is no host name");
    for (const std::string_view text :
         {"usb:", "usb:1", "usb:1-", "usb:1-4.", "usb:01-4", "usb:1.4", "usb:1-4-2", "usb:1-2.3.4.5.6.7.8"}) {
        EXPECT_EQ(address(Via::usb, text),
                  fmt::format("'{}' is not an address: write usb:BUS-PORT, such as usb:1-4.2", text));
    }
    EXPECT_EQ(address(Via::server, ""), "'' is not an address: a serial has 1 to 128 printable ASCII characters");
    EXPECT_EQ(resolve_via(Via::automatic, TcpAddress{"h", 1}, true), Via::tcp);
    EXPECT_EQ(resolve_via(Via::automatic, Serial{"S"}, true), Via::server);
    EXPECT_EQ(resolve_via(Via::automatic, UsbPath{"1-1"}, true), Via::server);
    EXPECT_EQ(resolve_via(Via::automatic, UsbPath{"1-1"}, false), Via::usb);
    EXPECT_EQ(resolve_via(Via::usb, UsbPath{"1-1"}, true), Via::usb);
}

// What YAML itself would take for a truth, a number or a map is text here.
TEST(Inventory, WordsInQuotesStayWords) {
    const auto inventory = parse_inventory(
        "version: 1\ninstances:\n"
        "  - {id: 'true', via: tcp, address: '[::1]:6001', serial: 'null', labels: {empty: '', 'no': 'yes', t: "
        "'a:b=c'}}\n"
        "  - {id: '007', via: server, address: 'it''s (2) {x}, #y', serial: '1e3'}\n",
        "i.yaml");
    ASSERT_TRUE(inventory) << inventory.error().message;
    const auto& [truth, number] = std::tie(inventory->instances.at(0), inventory->instances.at(1));
    EXPECT_EQ(truth.id, "true");
    EXPECT_EQ(truth.serial, "null");
    using Labels = std::remove_cvref_t<decltype(truth.labels)>;
    EXPECT_EQ(truth.labels, (Labels{{"empty", ""}, {"no", "yes"}, {"t", "a:b=c"}}));
    EXPECT_EQ(number.id, "007");
    EXPECT_EQ(to_string(number.address), "it's (2) {x}, #y");
    EXPECT_EQ(number.serial, "1e3");
}

TEST(Inventory, HoldsTwentyThousandAndNoMore) {
    std::string text = "version: 1\ninstances:\n";
    for (std::size_t i = 0; i < kInstancesMax; ++i)
        text += fmt::format("  - {{id: phone-{:05}, address: '10.0.{}.{}:5555'}}\n", i, i / 250, i % 250);
    const auto inventory = parse_inventory(text, "i.yaml");
    ASSERT_TRUE(inventory) << inventory.error().message;
    EXPECT_EQ(inventory->instances.size(), kInstancesMax);
    EXPECT_EQ(wrong(text + "  - {id: x, address: y}\n"), "i.yaml:20003:5: instances: more than 20000 instances");
}

TEST(Inventory, TheExampleIsValid) {
    const auto inventory = load_inventory(DROVER_SOURCE_DIR "/devices/inventory.example.yaml");
    ASSERT_TRUE(inventory) << inventory.error().message;
    EXPECT_EQ(inventory->instances.size(), 5U);
    EXPECT_EQ(inventory->groups.size(), 3U);
}

}  // namespace
}  // namespace drover::fleet
