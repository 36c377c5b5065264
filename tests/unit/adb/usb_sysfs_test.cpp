// Finding phones in a made sysfs, and who holds them in a made /proc.
#include "adb/transport/usb_sysfs.hpp"

#include <gmock/gmock.h>

#include "adb/transport/usb_holder.hpp"
#include "support/temp_dir.hpp"

namespace drover::test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

const std::string kPhoneDescriptors(
    "\x12\x01\x00\x02\x00\x00\x00\x40\xd1\x18\xe7\x4e\x00\x04\x01\x02\x03\x01"
    "\x09\x02\x20\x00\x01\x01\x00\x80\xfa\x09\x04\x00\x00\x02\xff\x42\x01\x00"
    "\x07\x05\x01\x02\x00\x02\x00\x07\x05\x81\x02\x00\x02\x00",
    50);

class UsbTreeTest : public ::testing::Test {
protected:
    void plug(const std::string& path, int number, const std::string& serial,
              const std::string& descriptors = kPhoneDescriptors) {
        dir.write(path + "/busnum", "1\n");
        dir.write(path + "/devnum", std::to_string(number) + "\n");
        dir.write(path + "/bConfigurationValue", "1\n");
        dir.write(path + "/serial", serial + "\n");
        dir.write(path + "/product", "Pixel 8\n");
        dir.write(path + "/descriptors", descriptors);
    }
    std::string why(const Address& address) {
        const auto found = tree.find(address);
        EXPECT_FALSE(found);
        if (found) return "found at " + found->path;
        EXPECT_EQ(found.error().code, Code::phone_not_found);
        return found.error().message;
    }

    TempDir dir;
    adb::UsbTree tree{dir.path(), "/dev/bus/usb"};
};

TEST_F(UsbTreeTest, OnlyPhonesAreListedByPath) {
    plug("1-4.2", 5, "R58M");
    plug("1-4.1", 17, "");
    plug("1-3", 4, "hub", "\x12\x01");
    plug("usb1", 1, "0000:00:14.0");
    dir.write("1-4.2:1.0/bInterfaceNumber", "00\n");
    const auto phones = tree.phones();
    ASSERT_EQ(phones.size(), 2u);
    EXPECT_EQ(phones[0].path, "1-4.1");
    EXPECT_EQ(phones[0].serial, "");
    EXPECT_EQ(phones[0].node, "/dev/bus/usb/001/017");
    EXPECT_EQ(phones[1].path, "1-4.2");
    EXPECT_EQ(phones[1].serial, "R58M");
    EXPECT_EQ(phones[1].product, "Pixel 8");
    EXPECT_EQ(phones[1].interface->in, 0x81);
}

TEST_F(UsbTreeTest, ByPathAndBySerial) {
    plug("1-4.2", 5, "R58M");
    plug("2-1", 6, "OTHER");
    EXPECT_EQ(tree.find(UsbPath{"1-4.2"})->serial, "R58M");
    EXPECT_EQ(tree.find(Serial{"OTHER"})->path, "2-1");
    EXPECT_TRUE(tree.find(UsbPath{"1-4.2", "R58M"}));
    EXPECT_EQ(why(UsbPath{"1-4.2", "GONE"}), "at usb:1-4.2 another one is plugged in now, not GONE");
    EXPECT_EQ(why(UsbPath{"1-4.3"}), "no USB device at usb:1-4.3");
    EXPECT_EQ(why(Serial{"R58"}), "no USB device with serial R58");
    EXPECT_EQ(why(UsbPath{"../1-4.2"}), "no USB device at usb:../1-4.2");
}

TEST_F(UsbTreeTest, EqualSerialsStayUsableByPath) {
    plug("1-1", 2, "0123456789ABCDEF");
    plug("1-2", 3, "0123456789ABCDEF");
    EXPECT_EQ(why(Serial{"0123456789ABCDEF"}),
              "2 USB devices have the serial 0123456789ABCDEF, at usb:1-1 and usb:1-2: give the path as the address");
    EXPECT_TRUE(tree.find(UsbPath{"1-2"}));
}

TEST_F(UsbTreeTest, AnEqualSerialOfSomethingElseDoesNotMatter) {
    plug("1-1", 2, "123456", "\x12\x01");
    plug("1-2", 3, "123456");
    EXPECT_EQ(tree.find(Serial{"123456"})->path, "1-2");
}

TEST_F(UsbTreeTest, WithoutUsbDebugging) {
    plug("1-4.2", 5, "R58M", kPhoneDescriptors.substr(0, 27));
    EXPECT_EQ(why(UsbPath{"1-4.2"}),
              "the device at usb:1-4.2 (Pixel 8) offers no ADB interface: turn on USB debugging");
    EXPECT_THAT(why(Serial{"R58M"}), HasSubstr("turn on USB debugging"));
}

TEST_F(UsbTreeTest, WhatIsHalfGoneIsLeftOut) {
    plug("1-4.2", 5, "R58M");
    fs::remove(dir / "1-4.2/devnum");
    EXPECT_TRUE(tree.phones().empty());
    plug("1-4.3", 6, "R59M");
    dir.write("1-4.3/bConfigurationValue", "");
    EXPECT_TRUE(tree.phones().empty()) << "not configured";
    EXPECT_TRUE(adb::UsbTree("/nowhere").phones().empty());
}

TEST_F(UsbTreeTest, WhatADeviceCallsItselfIsMadePrintable) {
    plug("1-4.2", 5, "R58M", "");
    dir.write("1-4.2/product", "a\x1b[2Jb" + std::string(10'000, 'x'));
    const auto text = why(UsbPath{"1-4.2"});
    EXPECT_THAT(text, HasSubstr("(a?[2Jbxx"));
    EXPECT_LT(text.size(), 1000u);
}

class UsbHolderTest : public ::testing::Test {
protected:
    void process(int pid, std::string_view command_line, const std::string& open) {
        const auto name = std::to_string(pid);
        dir.write(name + "/cmdline", command_line);
        fs::create_directories(dir / (name + "/fd"));
        fs::create_symlink("/dev/null", dir / (name + "/fd/0"));
        fs::create_symlink(open, dir / (name + "/fd/7"));
    }
    std::string who() {
        return adb::describe_usb_holders(adb::find_usb_holders("/dev/bus/usb/001/005", 99, dir.path()));
    }

    TempDir dir;
};

TEST_F(UsbHolderTest, AnAdbServer) {
    using namespace std::string_view_literals;
    process(70, "scrcpy\0"sv, "/dev/bus/usb/001/006");
    process(71, "/usr/bin/scrcpy\0"sv, "/dev/bus/usb/001/005");
    process(4242, "/usr/lib/android-sdk/platform-tools/adb\0-L\0tcp:5037\0fork-server\0server\0"sv,
            "/dev/bus/usb/001/005");
    process(99, "drover\0exec\0"sv, "/dev/bus/usb/001/005");
    dir.write("self", "no process");
    EXPECT_EQ(who(),
              "an adb server (pid 4242) holds the phone's ADB interface: use `via: server`, or end it with `adb "
              "kill-server`");
}

TEST_F(UsbHolderTest, AnyOtherProcess) {
    using namespace std::string_view_literals;
    process(71, "/usr/bin/qemu-system-x86_64\0-usb\0"sv, "/dev/bus/usb/001/005");
    process(72, "adb\0shell\0"sv, "/dev/bus/usb/001/005");
    EXPECT_EQ(
        who(),
        "qemu-system-x86_64 (pid 71), adb (pid 72) holds the phone's ADB interface: end it to use the phone from here");
}

TEST_F(UsbHolderTest, AdbServersAmongAllProcesses) {
    using namespace std::string_view_literals;
    process(72, "adb\0shell\0"sv, "/dev/null");
    process(71, "adb\0-L\0tcp:5037\0fork-server\0server\0"sv, "/dev/null");
    process(8, "/opt/adb\0nodaemon\0server\0"sv, "/dev/null");
    dir.write("self", "no process");
    const auto servers = adb::find_adb_servers(dir.path());
    ASSERT_EQ(servers.size(), 2u);
    EXPECT_EQ(servers[0].pid, 8);
    EXPECT_EQ(servers[1].pid, 71);
}

TEST_F(UsbHolderTest, NobodyToBeSeen) { EXPECT_THAT(who(), HasSubstr("only root can see")); }

}  // namespace
}  // namespace drover::test
