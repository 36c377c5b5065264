// Phones nobody wrote down: what an adb server lists and what is on this host's USB, as instances with ids of their own.
// Pure; any thread.
#pragma once
#include <span>
#include <string>
#include <vector>

#include "adb/smart_socket.hpp"
#include "adb/transport/usb_sysfs.hpp"
#include "drover/instance.hpp"

namespace drover::fleet {

// One instance for each row that is not among `known` (by serial, address or USB path). The id is the serial, made fit for an id
// (1..32 of [A-Za-z0-9._-]); a phone whose serial is empty or repeats is addressed by its USB path, and named after it. Ids are
// stable as long as serials and USB paths are, and differ from all others. A phone on USB is found by either source as the same
// instance, and `via: auto`; `usb`: phones that may be among the rows too, at the same path.
std::vector<Instance> instances_of(std::span<const adb::ServerDevice> rows, std::span<const adb::UsbPhone> usb,
                                   std::span<const Instance> known);

}  // namespace drover::fleet
