// Reads what `drover doctor` judges: sysfs, /proc, udev's folders, ADB keys, the adb server. Changes nothing, opens no phone.
//
// Blocks; off the loops. Ownership: values. Failure: what cannot be read is left empty.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "fleet/doctor.hpp"

namespace drover::fleet {

// Where to look: tests hand in made trees.
struct HostPlaces {
    std::filesystem::path usb_devices = "/sys/bus/usb/devices";
    std::filesystem::path usb_nodes = "/dev/bus/usb";
    std::filesystem::path proc = "/proc";
    std::filesystem::path groups = "/etc/group";
    std::vector<std::filesystem::path> udev = {"/etc/udev/rules.d", "/run/udev/rules.d", "/usr/local/lib/udev/rules.d",
                                               "/usr/lib/udev/rules.d", "/lib/udev/rules.d"};
};

// All but the adb server's own answers, keys and the fleet.
HostFacts gather_host_facts(const HostPlaces& places);
// ADB keys of this user.
void gather_keys(HostFacts& facts);
// Asks the adb server at `address` for its version and its phones; waits a few seconds at most.
void ask_adb_server(HostFacts& facts, const adb::ServerAddress& address);

}  // namespace drover::fleet
