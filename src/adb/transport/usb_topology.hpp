// How this host's USB is wired, read from sysfs: host controllers, hubs, and what is plugged in where. Opens no device.
//
// Threads: any; reading sysfs can block for moments, so not on a phone's loop. Values are the caller's. Failure: a device that
// vanishes or lies while it is read is left out; a tree that is not there is empty.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "adb/transport/usb_sysfs.hpp"

namespace drover::adb {

struct UsbNodeInfo {
    std::string path;        // "1-4.2"
    std::string parent;      // the hub's path, or "usb1" for a root port
    std::string product;     // as the device calls itself; may be empty
    unsigned speed = 0;      // Mbit/s as negotiated: 12, 480, 5000; 0: not known
    unsigned hub_ports = 0;  // 0: no hub
    unsigned endpoints =
        1;               // of the active configuration, endpoint 0 included: what the controller keeps a context for
    bool phone = false;  // has an ADB interface
};

// One xHCI (or older) host controller: usually two buses, one for USB 2 and one for USB 3. Its limits hold for both together.
struct UsbController {
    std::string name;                // "0000:00:14.0", as the kernel names it
    std::vector<std::string> buses;  // "usb1", "usb2"
    unsigned root_ports = 0;
    std::vector<UsbNodeInfo> devices;  // by path; root hubs are not among them

    unsigned endpoints() const;  // of all devices
};

// By name. A bus whose controller cannot be told is a controller of its own.
std::vector<UsbController> read_usb_topology(const std::filesystem::path& devices = "/sys/bus/usb/devices");

// Endpoints of the configuration with that number, alternate settings 0 only, endpoint 0 counted too. Survives any bytes.
unsigned count_endpoints(ByteView descriptors, std::uint8_t configuration);

}  // namespace drover::adb
