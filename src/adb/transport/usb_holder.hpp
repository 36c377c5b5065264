// Who else has a USB device open: what `interface busy` means for a person.
//
// Reads /proc: any thread, but not a phone's loop. Failure: processes of other users show only to root; what cannot be read is
// left out.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

namespace drover::adb {

struct UsbHolder {
    long pid = 0;
    std::string command;  // the program's name
    bool adb_server = false;
};

// Every process but `own_pid` with an open descriptor of the device node; adb servers first, then by pid.
std::vector<UsbHolder> find_usb_holders(const std::string& node, long own_pid,
                                        const std::filesystem::path& proc = "/proc");

// Every adb server among the processes, by pid.
std::vector<UsbHolder> find_adb_servers(const std::filesystem::path& proc = "/proc");

// "an adb server (pid 4242) holds the phone's ADB interface: ..."
std::string describe_usb_holders(const std::vector<UsbHolder>& holders);

}  // namespace drover::adb
