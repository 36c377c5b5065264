// Which phones are on USB, read from sysfs: no device is opened, no permission is needed, nothing is cached.
//
// Threads: any, one call at a time per object; reading sysfs can block for moments, so not on a phone's loop. Failure: a device
// that vanishes or lies while it is read is left out.
#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adb/transport/usb_interface.hpp"
#include "drover/error.hpp"
#include "drover/instance.hpp"

namespace drover::adb {

struct UsbPhone {
    std::string path;                       // where it is plugged in: "1-4.2"
    std::string serial;                     // may be empty, and need not be unique
    std::string product;                    // as the device calls itself; may be empty
    std::string node;                       // what is opened: "/dev/bus/usb/001/005"
    std::optional<UsbInterface> interface;  // none: USB debugging is off, or it is no phone

    bool operator==(const UsbPhone&) const = default;
};

class UsbTree {
public:
    static constexpr std::size_t kTextBytesMax = 512;  // of one attribute

    explicit UsbTree(std::filesystem::path devices = "/sys/bus/usb/devices",
                     std::filesystem::path nodes = "/dev/bus/usb");

    // Every device with an ADB interface, by path.
    std::vector<UsbPhone> phones() const;
    // The one phone at a path or with a serial. phone_not_found: none, several, or one without an ADB interface.
    Result<UsbPhone> find(const Address& address) const;

private:
    std::optional<UsbPhone> read(const std::string& path) const;
    std::vector<std::string> paths() const;
    std::string text(const std::string& path, const char* attribute) const;

    const std::filesystem::path devices_;
    const std::filesystem::path nodes_;
};

}  // namespace drover::adb
