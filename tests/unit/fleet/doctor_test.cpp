// What `drover doctor` finds: facts read from made trees, and what is said about them.
#include "fleet/doctor.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "fleet/doctor_facts.hpp"
#include "support/temp_dir.hpp"

namespace drover::test {
namespace {

namespace fs = std::filesystem;
using fleet::Finding;
using fleet::FindingLevel;
using fleet::HostFacts;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

Finding finding(const HostFacts& facts, const std::string& topic) {
    for (auto& f : fleet::judge(facts)) {
        if (f.topic == topic) return f;
    }
    ADD_FAILURE() << "no finding about " << topic;
    return {};
}

fleet::UsbPhoneFacts phone(const std::string& path, bool may_open = true, std::vector<adb::UsbHolder> holders = {}) {
    adb::UsbPhone p;
    p.path = path;
    p.serial = "S" + path;
    p.node = "/dev/bus/usb/001/005";
    return {p, may_open, std::move(holders)};
}

adb::ServerDevice listed(const std::string& serial, adb::AdbState state) {
    adb::ServerDevice d;
    d.serial = serial;
    d.state = state;
    d.transport_id = 1;
    return d;
}

TEST(Doctor, EveryWarningSaysWhatToDo) {
    HostFacts bad;
    bad.server_error = Error(Code::server_failed, "it sent a banner");
    bad.phones = {phone("1-1", false, {{71, "scrcpy", false}})};
    bad.serve = fleet::ServeFacts{"/run/drover/drover.sock", Error(Code::server_unreachable, "refused")};
    bad.key_warnings = {"ADB key x is not used"};
    bad.server_devices = {listed("R1", adb::AdbState::unauthorized)};
    bad.controllers.resize(1);
    bad.controllers[0].devices.resize(30);
    bad.descriptors_hard = bad.descriptors_soft = 10;
    bad.fleet = {{"p1", "R1", "offline", "refused", false},
                 {"p2", "10.0.0.5:5555", "device", "", false, "R2", ""},
                 {"p3", "10.0.0.6:5555", "device", "", false, "R2", ""}};
    for (const auto& f : fleet::judge(bad)) {
        EXPECT_GE(f.level, FindingLevel::warning) << f.topic;
        EXPECT_FALSE(f.fix.empty()) << f.topic;
    }
    EXPECT_THAT(fleet::judge(bad), SizeIs(11));
}

TEST(Doctor, AnEmptyHostHasNoProblems) {
    HostFacts none;
    none.server_error = Error(Code::server_unreachable, "refused");
    none.keys = {"abc"};
    for (const auto& f : fleet::judge(none)) EXPECT_LE(f.level, FindingLevel::note) << f.topic << f.what;
}

TEST(Doctor, TheAdbServer) {
    HostFacts f;
    f.server_name = "127.0.0.1:5037";
    f.server_version = 41;
    f.servers = {{4242, "adb", true}};
    EXPECT_THAT(finding(f, "adb-server").what, HasSubstr("version 1.0.41"));
    EXPECT_THAT(finding(f, "adb-server").details, ElementsAre("adb server, pid 4242"));
    f.server_version.reset();
    f.server_error = Error(Code::server_unreachable, "no answer");
    EXPECT_EQ(finding(f, "adb-server").level, FindingLevel::problem) << "it runs, and does not answer";
    f.servers.clear();
    EXPECT_EQ(finding(f, "adb-server").level, FindingLevel::note);
}

TEST(Doctor, WhoHoldsWhichInterface) {
    HostFacts f;
    f.phones = {phone("1-1", true, {{4242, "adb", true}}), phone("1-2", true, {{71, "scrcpy", false}}), phone("1-3")};
    const auto found = finding(f, "usb-interfaces");
    EXPECT_EQ(found.level, FindingLevel::warning);
    EXPECT_THAT(found.details, Contains("usb:1-1 (S1-1, unnamed): adb server (pid 4242)"));
    EXPECT_THAT(found.details, Contains("usb:1-2 (S1-2, unnamed): scrcpy (pid 71)"));
    EXPECT_THAT(found.details, Contains("usb:1-3 (S1-3, unnamed): nobody"));
}

TEST(Doctor, ARunningDroverIsNoStranger) {
    HostFacts f;
    f.phones = {phone("1-1", true, {{99, "drover", false}})};
    const auto found = finding(f, "usb-interfaces");
    EXPECT_EQ(found.level, FindingLevel::ok);
    EXPECT_THAT(found.fix, HasSubstr("a running drover has them"));
}

TEST(Doctor, PermissionsNameTheStepThatIsMissing) {
    HostFacts f;
    f.user = "anna";
    f.phones = {phone("1-1", false), phone("1-2")};
    EXPECT_THAT(finding(f, "udev").fix, HasSubstr("51-drover.rules"));
    EXPECT_THAT(finding(f, "permissions").fix, HasSubstr("51-drover.rules"));
    EXPECT_THAT(finding(f, "permissions").details, ElementsAre(HasSubstr("usb:1-1")));
    f.rules = {"/etc/udev/rules.d/51-drover.rules"};
    EXPECT_THAT(finding(f, "permissions").fix, HasSubstr("adduser anna plugdev"));
    f.in_plugdev = true;
    EXPECT_THAT(finding(f, "permissions").fix, HasSubstr("udevadm trigger"));
}

TEST(Doctor, UnauthorizedPhonesAreListedOnceBySerial) {
    HostFacts f;
    f.server_devices = {listed("R1", adb::AdbState::unauthorized), listed("R2", adb::AdbState::device)};
    f.fleet = {{"rack-1", "R1", "unauthorized", "", false}, {"rack-3", "10.0.0.5:5555", "unauthorized", "", false}};
    const auto found = finding(f, "authorization");
    EXPECT_EQ(found.level, FindingLevel::warning);
    EXPECT_THAT(found.what, HasSubstr("2 phones"));
    EXPECT_THAT(found.details, ElementsAre("R1 (adb server)", "10.0.0.5:5555 (rack-3)"));
}

TEST(Doctor, APhoneThatIsWrittenDownTwiceIsFound) {
    HostFacts f;
    const auto at = [](const char* id, const char* address, const char* serial, const char* port = "") {
        return fleet::PhoneFacts{id, address, "device", "", false, serial, port};
    };
    f.fleet = {at("a", "10.0.0.5:5555", "R1"), at("b", "10.0.0.6:5555", "R2"), at("c", "10.1.0.5:5555", "R1")};
    const auto found = finding(f, "identity");
    EXPECT_EQ(found.level, FindingLevel::warning);
    EXPECT_THAT(found.details, ElementsAre("serial number R1: a (10.0.0.5:5555), c (10.1.0.5:5555)"));
    f.fleet = {at("a", "10.0.0.5:5555", "R1"), at("b", "usb:1-1", "R1", "1-1")};
    EXPECT_EQ(finding(f, "identity").level, FindingLevel::warning) << "by TCP and on USB";
    f.fleet = {at("a", "usb:1-2", "R1", "1-2"), at("b", "usb:1-1", "R1", "1-1")};
    EXPECT_EQ(finding(f, "identity").level, FindingLevel::ok) << "two phones of a maker who numbers them alike";
    f.fleet = {at("a", "10.0.0.5:5555", ""), at("b", "10.0.0.6:5555", "")};
    EXPECT_EQ(finding(f, "identity").level, FindingLevel::ok) << "without a number nothing is known";
}

TEST(Doctor, ControllersNearTheirLimits) {
    HostFacts f;
    f.controllers.resize(1);
    f.controllers[0].name = "0000:00:14.0";
    f.controllers[0].devices.resize(28);
    EXPECT_EQ(finding(f, "usb-topology").level, FindingLevel::ok);
    f.controllers[0].devices.resize(29);
    EXPECT_EQ(finding(f, "usb-topology").level, FindingLevel::warning) << "slots";
    f.controllers[0].devices.resize(20);
    for (auto& d : f.controllers[0].devices) d.endpoints = 5;
    EXPECT_EQ(finding(f, "usb-topology").level, FindingLevel::warning) << "endpoints";
    EXPECT_THAT(finding(f, "usb-topology").what, HasSubstr("0000:00:14.0"));
}

TEST(Doctor, ASlowPhoneHasABadCable) {
    HostFacts f;
    f.controllers.resize(1);
    f.controllers[0].devices.resize(1);
    auto& d = f.controllers[0].devices[0];
    d.path = "1-4.2", d.parent = "1-4", d.speed = 12, d.phone = true;
    EXPECT_THAT(finding(f, "usb-topology").fix, HasSubstr("cable"));
    EXPECT_THAT(finding(f, "usb-topology").details, Contains("    1-4.2 on 1-4 port 2: 12 Mbit/s, phone"));
}

TEST(Doctor, DescriptorsForEveryPhone) {
    HostFacts f;
    f.descriptors_soft = 1024, f.descriptors_hard = 1024;
    f.fleet.resize(380);
    EXPECT_EQ(finding(f, "descriptors").level, FindingLevel::ok);
    f.fleet.resize(700);
    EXPECT_EQ(finding(f, "descriptors").level, FindingLevel::problem);
    for (auto& phone : f.fleet) phone.descriptors = 1;  // over TCP
    EXPECT_EQ(finding(f, "descriptors").level, FindingLevel::ok);
}

TEST(DoctorFacts, AreReadFromTheTreesItIsGiven) {
    const TempDir dir;
    const std::string descriptors(
        "\x12\x01\x00\x02\x00\x00\x00\x40\xd1\x18\xe7\x4e\x00\x04\x01\x02\x03\x01"
        "\x09\x02\x20\x00\x01\x01\x00\x80\xfa\x09\x04\x00\x00\x02\xff\x42\x01\x00"
        "\x07\x05\x01\x02\x00\x02\x00\x07\x05\x81\x02\x00\x02\x00",
        50);
    for (const auto& [file, text] : std::initializer_list<std::pair<const char*, std::string>>{
             {"sys/1-4.2/busnum", "1\n"},
             {"sys/1-4.2/devnum", "5\n"},
             {"sys/1-4.2/bConfigurationValue", "1\n"},
             {"sys/1-4.2/serial", "R58M\n"},
             {"sys/1-4.2/descriptors", descriptors},
             {"proc/71/cmdline", std::string("adb\0fork-server\0server\0", 23)},
             {"proc/self/limits", "Limit  Soft Limit  Hard Limit  Units\nMax open files   1024  4096  files\n"},
             {"rules/10-other.rules", "nothing\n"},
             {"rules/70-lab.rules", "ENV{ID_USB_INTERFACES}==\"*:ff4201:*\", MODE=\"0666\"\n"},
             {"group", "root:x:0:\nplugdev:x:4294967:ben,nobody-we-know\n"},
             {"dev/001/005", ""}}) {
        dir.write(file, text);
    }
    fs::create_directories(dir / "proc/71/fd");
    fs::create_symlink(dir / "dev/001/005", dir / "proc/71/fd/7");
    fleet::HostPlaces places;
    places.usb_devices = dir / "sys";
    places.usb_nodes = dir / "dev";
    places.proc = dir / "proc";
    places.groups = dir / "group";
    places.udev = {dir / "rules", dir / "none"};
    const auto facts = fleet::gather_host_facts(places);
    ASSERT_THAT(facts.phones, SizeIs(1));
    EXPECT_EQ(facts.phones[0].phone.serial, "R58M");
    EXPECT_TRUE(facts.phones[0].may_open);
    ASSERT_THAT(facts.phones[0].holders, SizeIs(1));
    EXPECT_EQ(facts.phones[0].holders[0].pid, 71);
    EXPECT_THAT(facts.servers, SizeIs(1));
    EXPECT_THAT(facts.rules, ElementsAre((dir / "rules/70-lab.rules").string()));
    EXPECT_EQ(facts.descriptors_soft, 1024u);
    EXPECT_EQ(facts.descriptors_hard, 4096u);
    EXPECT_FALSE(facts.in_plugdev);
    ASSERT_THAT(facts.controllers, SizeIs(1));
    EXPECT_TRUE(facts.controllers[0].devices[0].phone);
}

}  // namespace
}  // namespace drover::test
