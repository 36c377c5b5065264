// Finds the ADB interface in a device's raw USB descriptors: bytes in, endpoints out. Pure; any thread.
//
// Descriptors come from the device and may lie: every length is checked, a zero length is stepped over, and what does not
// fit is no ADB interface. Reference: USB 2.0 chapter 9; AOSP adb.h for the class, subclass and protocol.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.hpp"

namespace drover::adb {

struct UsbInterface {
    std::uint8_t number = 0;
    std::uint8_t alternate = 0;
    std::uint8_t in = 0;  // endpoint addresses, the direction bit included
    std::uint8_t out = 0;
    std::uint16_t in_packet_bytes = 0;  // wMaxPacketSize: 512 on high speed, 1024 on SuperSpeed
    std::uint16_t out_packet_bytes = 0;

    bool operator==(const UsbInterface&) const = default;
};

// Types of the descriptors that are read.
constexpr std::uint8_t kConfigurationType = 2, kInterfaceType = 4, kEndpointType = 5;

// What sysfs gives: the device descriptor and all configurations. More is not read.
constexpr std::size_t kDescriptorBytesMax = 64 * 1024;

// The first interface of class ff/42/01 (ADB) or dc/02/01 (ADB over the xHCI debug port) with exactly one bulk endpoint in
// each direction, within the configuration of that number. `descriptors` is the content of the sysfs file of that name.
std::optional<UsbInterface> find_adb_interface(ByteView descriptors, std::uint8_t configuration);

}  // namespace drover::adb
