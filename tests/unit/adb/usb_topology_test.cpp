// How a made sysfs is read as host controllers, hubs and phones.
#include "adb/transport/usb_topology.hpp"

#include <gmock/gmock.h>

#include "support/temp_dir.hpp"

namespace drover::test {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;

const std::string kPhone(
    "\x12\x01\x00\x02\x00\x00\x00\x40\xd1\x18\xe7\x4e\x00\x04\x01\x02\x03\x01"
    "\x09\x02\x20\x00\x01\x01\x00\x80\xfa\x09\x04\x00\x00\x02\xff\x42\x01\x00"
    "\x07\x05\x01\x02\x00\x02\x00\x07\x05\x81\x02\x00\x02\x00",
    50);

class UsbTopologyTest : public ::testing::Test {
protected:
    // As in sysfs: the folder of devices holds links into the tree of real ones.
    void add(const std::string& real, unsigned ports, unsigned speed, const std::string& descriptors = "") {
        const auto name = fs::path(real).filename().string();
        dir.write("devices/" + real + "/maxchild", std::to_string(ports) + "\n");
        dir.write("devices/" + real + "/speed", std::to_string(speed) + "\n");
        dir.write("devices/" + real + "/bConfigurationValue", "1\n");
        dir.write("devices/" + real + "/product", name == "1-4" ? "Hub\n" : "Pixel\n");
        dir.write("devices/" + real + "/descriptors", descriptors);
        fs::create_directories(dir / "bus");
        fs::create_directory_symlink(dir / ("devices/" + real), dir / ("bus/" + name));
    }
    TempDir dir;
};

TEST_F(UsbTopologyTest, BusesOfOneControllerBelongTogether) {
    add("pci0/0000:00:14.0/usb1", 16, 480);
    add("pci0/0000:00:14.0/usb2", 8, 5000);
    add("pci0/0000:03:00.0/usb3", 4, 480);
    add("pci0/0000:00:14.0/usb1/1-4", 4, 480);
    add("pci0/0000:00:14.0/usb1/1-4/1-4.2", 0, 480, kPhone);
    add("pci0/0000:00:14.0/usb2/2-1", 0, 5000, kPhone);
    add("pci0/0000:00:14.0/usb1/1-4/1-4.2/1-4.2:1.0", 0, 0);
    const auto all = adb::read_usb_topology(dir / "bus");
    ASSERT_EQ(all.size(), 2u);
    EXPECT_EQ(all[0].name, "0000:00:14.0");
    EXPECT_THAT(all[0].buses, ElementsAre("usb1", "usb2"));
    EXPECT_EQ(all[0].root_ports, 24u);
    ASSERT_EQ(all[0].devices.size(), 3u);
    const auto& hub = all[0].devices[0];
    EXPECT_EQ(hub.path, "1-4");
    EXPECT_EQ(hub.parent, "usb1");
    EXPECT_EQ(hub.hub_ports, 4u);
    EXPECT_FALSE(hub.phone);
    const auto& phone = all[0].devices[1];
    EXPECT_EQ(phone.path, "1-4.2");
    EXPECT_EQ(phone.parent, "1-4");
    EXPECT_EQ(phone.speed, 480u);
    EXPECT_EQ(phone.endpoints, 3u);
    EXPECT_TRUE(phone.phone);
    EXPECT_EQ(all[0].endpoints(), 7u);
    EXPECT_EQ(all[1].name, "0000:03:00.0");
    EXPECT_TRUE(all[1].devices.empty());
}

TEST_F(UsbTopologyTest, WithoutUsbThereIsNothing) { EXPECT_TRUE(adb::read_usb_topology(dir / "none").empty()); }

TEST_F(UsbTopologyTest, ADeviceWithoutItsRootHubIsAControllerOfItsOwn) {
    add("usb9/9-1", 0, 12, kPhone);
    const auto all = adb::read_usb_topology(dir / "bus");
    ASSERT_EQ(all.size(), 1u);
    EXPECT_EQ(all[0].name, "usb9");
    EXPECT_EQ(all[0].devices[0].speed, 12u);
}

TEST(UsbEndpoints, OnlyTheActiveConfigurationsFirstSettingsCount) {
    const std::string other("\x09\x02\x20\x00\x01\x02\x00\x80\xfa\x07\x05\x83\x02\x00\x02\x00", 16);
    const std::string alternate("\x09\x04\x00\x01\x01\xff\xff\xff\x00\x07\x05\x84\x01\x00\x02\x00", 16);
    EXPECT_EQ(adb::count_endpoints(as_bytes(kPhone + alternate + other), 1), 3u);
    EXPECT_EQ(adb::count_endpoints(as_bytes(kPhone), 7), 1u);
    // Cut anywhere, and with zero lengths in between, it ends.
    for (std::size_t n = 0; n <= kPhone.size(); ++n)
        EXPECT_LE(adb::count_endpoints(as_bytes(kPhone.substr(0, n)), 1), 3u);
    EXPECT_EQ(adb::count_endpoints(as_bytes(std::string(64, '\0') + kPhone), 1), 3u);
}

}  // namespace
}  // namespace drover::test
