// USB devices that lie, and what goes over USB held against the same over TCP. The real program, the real libusb.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "usb/usb_testbed.hpp"

namespace drover::test {
namespace {

namespace json = boost::json;
using ::testing::HasSubstr;

UsbPlug plug_at(std::string path, int number, std::string serial, std::size_t phone) {
    UsbPlug plug;
    plug.path = std::move(path);
    plug.number = number;
    plug.serial = std::move(serial);
    plug.phone = phone;
    return plug;
}

struct Lie {
    const char* what;
    std::function<std::string(std::string)> make;
    bool matters = true;  // false: what ADB needs can still be read
};

// The device's descriptor has 18 bytes, its configuration's 9, the interface of MTP 9, that of ADB 9, two endpoints 7 each.
constexpr std::size_t kConfiguration = 18, kMtp = 27, kAdb = 36, kIn = 45, kOut = 52;

const std::vector<Lie>& lies() {
    static const std::vector<Lie> all{
        {"no descriptors", [](const std::string&) { return std::string(); }},
        {"cut in the device's own", [](std::string d) { return d.substr(0, 7); }},
        {"cut in the ADB interface", [](std::string d) { return d.substr(0, kAdb + 4); }},
        {"cut in its last endpoint", [](std::string d) { return d.substr(0, d.size() - 3); }},
        {"a length of nothing", [](std::string d) { return d.replace(kMtp, 1, 1, '\0'); }},
        {"a length past the end", [](std::string d) { return d.replace(kIn, 1, "\xff"); }},
        {"a configuration of 64 KiB", [](std::string d) { return d.replace(kConfiguration + 2, 2, "\xff\xff"); },
         false},
        {"an endpoint without packets", [](std::string d) { return d.replace(kIn + 4, 2, 2, '\0'); }},
        {"two endpoints in one direction", [](std::string d) { return d.replace(kOut + 2, 1, 1, d[kIn + 2]); }},
        {"255 interfaces", [](std::string d) { return d.replace(kConfiguration + 4, 1, "\xff"); }, false},
        {"junk",
         [](std::string d) {
             for (std::size_t i = 0; i < d.size(); ++i) d[i] = static_cast<char>(i * 37 + 11);
             return d;
         }},
    };
    return all;
}

TEST(UsbBad, DevicesThatLieInTheirDescriptorsAreOneErrorEach) {
    UsbTestbed bed(1);
    std::vector<std::string> addresses;
    const auto count = lies().size();
    for (std::size_t i = 0; i < count; ++i) {
        auto plug = plug_at(fmt::format("1-{}", i + 2), static_cast<int>(i + 3), fmt::format("LIAR{}", i), 0);
        plug.lie = lies()[i].make;
        bed.plug(plug);
        addresses.push_back("usb:" + plug.path);
    }
    bed.plug(plug_at("1-1", 2, "GOOD", 0));
    addresses.emplace_back("usb:1-1");
    const auto r = run(bed.command({"exec", "--inventory", bed.inventory(addresses), "--json", "--timeout", "20s",
                                    "--connect-timeout", "3s", "--", "echo works"}));
    EXPECT_EQ(r.code(), 20) << r.err;
    const auto document = json::parse(r.out);
    const auto& rows = document.at("rows").as_array();
    ASSERT_EQ(rows.size(), count + 1) << r.out;
    EXPECT_EQ(rows[count].at("execute_msg").as_string(), "works\n") << r.out;
    for (std::size_t i = 0; i < count; ++i) {
        EXPECT_EQ(rows[i].at("status").as_int64(), lies()[i].matters ? -1 : 2) << lies()[i].what;
        EXPECT_EQ(rows[i].at("attempts").as_int64(), lies()[i].matters ? 0 : 1) << lies()[i].what;
    }
    // Found by themselves they do not hide it either.
    const auto devices = run(bed.command({"devices", "--connect-timeout", "1s"}));
    EXPECT_THAT(devices.out, ::testing::ContainsRegex("GOOD +usb +usb:1-1 +device")) << devices.err;
}

std::string without_times(json::value document) {
    document.at("summary").as_object().erase("ms");
    for (auto& row : document.at("rows").as_array()) row.as_object().erase("ms");
    return json::serialize(document);
}

TEST(UsbBad, TheRowsOverUsbAreThoseOverTcp) {
    UsbTestbed bed(1);
    bed.plug(plug_at("1-4.2", 5, "R58M123", 0));
    const TempDir dir;
    const auto tcp = dir.write("tcp.yaml", fmt::format("version: 1\ninstances: [{{id: p0, via: tcp, address: '{}'}}]\n",
                                                       bed.phone_address(0)))
                         .string();
    const auto usb = bed.inventory({"usb:1-4.2"});
    for (const std::string command : {"echo out; echo err >&2; exit 3", "sim-output 200000", "getprop ro.serialno",
                                      "printf 'a\\377b'", "exit 0", "no-such-program"}) {
        std::vector<std::string> rows;
        for (const auto& inventory : {usb, tcp}) {
            const auto r =
                run(bed.command({"exec", "--inventory", inventory, "--json", "--timeout", "40s", "--", command}));
            rows.push_back(without_times(json::parse(r.out)));
        }
        EXPECT_EQ(rows[0], rows[1]) << command;
        EXPECT_THAT(rows[0], HasSubstr(R"("instance_id":"p0")"));
    }
    std::vector<std::string> states;
    for (const auto& inventory : {usb, tcp}) {
        auto document = json::parse(run(bed.command({"devices", "--inventory", inventory, "--json"})).out);
        auto& device = document.at("devices").as_array().at(0).as_object();
        for (const char* key : {"via", "address"}) device.erase(key);
        states.push_back(json::serialize(document));
    }
    EXPECT_EQ(states[0], states[1]);
}

}  // namespace
}  // namespace drover::test
